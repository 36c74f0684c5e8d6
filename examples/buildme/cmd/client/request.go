package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	answerTimeout  = 5 * time.Second
	maxAnswerBytes = 1 << 20
)

// translate asks the server at the given base URL for the translation of text.
func translate(ctx context.Context, server, text string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	address := strings.TrimSuffix(server, "/") + "/?s=" + url.QueryEscape(text)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return "", err
	}
	answer := strings.TrimSuffix(string(body), "\n")
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("the server answered %s: %s", response.Status, answer)
	}
	return answer, nil
}
