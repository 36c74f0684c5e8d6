// A web server that reads one settings file, which was chosen when its image was built.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// readSettings reads the lines `name: value` of the one file of _envs that the image has.
func readSettings(folder string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "env_*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("%s holds %d settings files, and should hold one", folder, len(files))
	}
	file, err := os.Open(files[0])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	settings := map[string]string{"file": filepath.Base(files[0])}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		name, value, found := strings.Cut(line, ":")
		if !found || strings.HasPrefix(line, "#") {
			continue
		}
		settings[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return settings, nil
}

func main() {
	settings, err := readSettings("_envs")
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "%s\n", settings["greeting"])
	})
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"status":"ok","env":%q,"file":%q}`+"\n", settings["env"], settings["file"])
	})
	address := ":" + settings["port"]
	log.Printf("%s: listening on %s", settings["env"], address)
	log.Fatal(http.ListenAndServe(address, nil))
}
