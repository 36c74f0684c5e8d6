// Package health is shared by the services: who they are, and whether they are well.
package health

import (
	"fmt"
	"io"
	"runtime"
)

// Print says which service this is, in which version, and what it was made for.
func Print(to io.Writer, service, version string) error {
	_, err := fmt.Fprintf(to, "%s %s %s/%s\n", service, version, runtime.GOOS, runtime.GOARCH)
	return err
}
