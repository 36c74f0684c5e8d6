// A web server with nothing but the standard library: it greets, and says what it is run by.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
)

func greet(w http.ResponseWriter, request *http.Request) {
	name := request.URL.Query().Get("name")
	if name == "" {
		name = "world"
	}
	fmt.Fprintf(w, "Hello, %s! (%s/%s)\n", name, runtime.GOOS, runtime.GOARCH)
}

func main() {
	http.HandleFunc("/", greet)
	address := ":8080"
	if port := os.Getenv("PORT"); port != "" {
		address = ":" + port
	}
	log.Printf("listening on %s", address)
	log.Fatal(http.ListenAndServe(address, nil))
}
