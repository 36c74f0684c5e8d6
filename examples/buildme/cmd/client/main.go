// Command client is a terminal interface to the server: a line typed is sent, its translation is shown.
//
//	client                       talk to http://localhost:3000
//	client -server http://…      talk to another one
//	client hello world           translate the arguments, print the answer, leave
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

func main() {
	server := flag.String("server", "http://localhost:3000", "base URL of the server")
	flag.Parse()
	if err := run(*server, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(server string, words []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(words) > 0 {
		answer, err := translate(ctx, server, strings.Join(words, " "))
		if err != nil {
			return err
		}
		_, err = fmt.Println(answer)
		return err
	}
	_, err := tea.NewProgram(newModel(ctx, server), tea.WithContext(ctx)).Run()
	return err
}
