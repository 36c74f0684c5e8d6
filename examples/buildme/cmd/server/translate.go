package main

import (
	"strings"
	"unicode"
)

// The consonants of the Swedish alphabet; y, å, ä and ö are vowels there.
const consonants = "bcdfghjklmnpqrstvwxz"

// translate puts text into rövarspråket, the robbers' language: every consonant is
// said twice with an "o" between, everything else is kept. "hello" becomes "hohelollolo".
// The second half of a doubled capital is small: "Hi" becomes "Hohi".
func translate(text string) string {
	var out strings.Builder
	out.Grow(3 * len(text))
	for _, letter := range text {
		out.WriteRune(letter)
		if small := unicode.ToLower(letter); strings.ContainsRune(consonants, small) {
			out.WriteByte('o')
			out.WriteRune(small)
		}
	}
	return out.String()
}
