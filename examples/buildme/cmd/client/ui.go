package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

var (
	titleStyle  = lipgloss.NewStyle().Bold(true)
	answerStyle = lipgloss.NewStyle().Foreground(lipgloss.Color("2"))
	errorStyle  = lipgloss.NewStyle().Foreground(lipgloss.Color("1"))
	faintStyle  = lipgloss.NewStyle().Faint(true)
)

// model is what the screen shows: a line to type in, and the lines sent so far with their answers.
type model struct {
	ctx    context.Context
	server string
	input  textinput.Model
	lines  []string
	asking bool
}

// answered is the message that ends a request.
type answered struct {
	text, answer string
	err          error
}

func newModel(ctx context.Context, server string) model {
	input := textinput.New()
	input.Placeholder = "Write something, then press Enter"
	input.CharLimit = 500
	input.Width = 60
	input.Focus()
	return model{ctx: ctx, server: server, input: input}
}

func (m model) Init() tea.Cmd { return textinput.Blink }

func (m model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.KeyMsg:
		switch message.Type {
		case tea.KeyCtrlC, tea.KeyEsc:
			return m, tea.Quit
		case tea.KeyEnter:
			text := strings.TrimSpace(m.input.Value())
			if text == "" || m.asking {
				return m, nil
			}
			m.asking = true
			m.input.Reset()
			return m, m.ask(text)
		}
	case answered:
		m.asking = false
		line := answerStyle.Render(message.answer)
		if message.err != nil {
			line = errorStyle.Render(message.err.Error())
		}
		m.lines = append(m.lines, message.text+"\n  "+line)
		return m, nil
	}
	var command tea.Cmd
	m.input, command = m.input.Update(message)
	return m, command
}

func (m model) View() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n\n", titleStyle.Render("Rövarspråket"), faintStyle.Render(m.server))
	for _, line := range m.lines {
		fmt.Fprintln(&out, line)
	}
	fmt.Fprintf(&out, "%s\n\n%s\n", m.input.View(), faintStyle.Render("Enter sends, Esc leaves"))
	return out.String()
}

// ask sends one line to the server, away from the screen's own loop.
func (m model) ask(text string) tea.Cmd {
	return func() tea.Msg {
		answer, err := translate(m.ctx, m.server, text)
		return answered{text: text, answer: answer, err: err}
	}
}
