// Command server translates what it is asked into rövarspråket:
//
//	curl 'http://localhost:3000/?s=hello'
//
// It listens on port 3000, or on the one in $PORT.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
)

// version is set by the linker: go build -ldflags "-X main.version=v0.0.1"
var version string

func main() {
	if version != "" {
		log.Printf("Version: %s", version)
	}
	// As process 1 of a container it gets no signal that it does not ask for.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	port := os.Getenv("PORT")
	if port == "" {
		port = "3000"
	}
	if err := serve(ctx, port); err != nil {
		log.Fatal(err)
	}
}

// serve answers on a TCP port until ctx ends, then lets open requests finish for two seconds.
func serve(ctx context.Context, port string) error {
	log.Print("Starting server...")
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	log.Printf("Listening on HTTP port %s", port)
	server := &http.Server{Handler: newHandler(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Print("Stopping server...")
	grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

func newHandler() http.Handler {
	router := chi.NewRouter()
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		if !query.Has("s") {
			http.Error(w, "the query has no s: try /?s=hello", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if _, err := fmt.Fprintln(w, translate(query.Get("s"))); err != nil {
			log.Printf("answering %s: %v", r.RemoteAddr, err)
		}
	})
	return router
}
