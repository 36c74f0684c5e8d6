// The user service: answers one question on standard output. A real one would listen on ports 30003 and 30004.
package main

import (
	"fmt"
	"os"

	"example.com/monorepo/pkg/health"
)

// Version is set by the build.
var Version = "dev"

func main() {
	if err := health.Print(os.Stdout, "user", Version); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
