package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestTranslate(t *testing.T) {
	for text, want := range map[string]string{
		"":                   "",
		"hello":              "hohelollolo",
		"Hi":                 "Hohi",
		"yxa":                "yxoxa",
		"smörgås, 2 bröd!":   "sosmomörorgogåsos, 2 bobrorödod!",
		"aeiouyåäö":          "aeiouyåäö",
		"日本":                 "日本",
		"line one\nline two": "lolinone onone\nlolinone totwowo",
	} {
		if got := translate(text); got != want {
			t.Errorf("translate(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestHandler(t *testing.T) {
	for _, c := range []struct {
		path string
		code int
		body string
	}{
		{"/?s=hello", http.StatusOK, "hohelollolo\n"},
		{"/?s=" + url.QueryEscape("a & b"), http.StatusOK, "a & bob\n"},
		{"/", http.StatusBadRequest, "the query has no s: try /?s=hello\n"},
		{"/elsewhere", http.StatusNotFound, "404 page not found\n"},
	} {
		answer := httptest.NewRecorder()
		newHandler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, c.path, nil))
		if answer.Code != c.code || answer.Body.String() != c.body {
			t.Errorf("GET %s = %d %q, want %d %q", c.path, answer.Code, answer.Body, c.code, c.body)
		}
	}
}
