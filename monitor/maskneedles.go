package monitor

// needles are words in lower case, by their first letter, of which a text must have one for
// any of the patterns of MaskText to match. Every pattern that needs no "@" must be
// represented here; the fuzz test compares both.
var needles = needlesByLetter(
	// the names of secrets, and of the headers and keywords that announce one
	"pass", "pw", "secret", "token", "key", "auth", "cred", "bearer", "basic", "jwt",
	"pin", "otp", "pat", "seed", "salt", "sig", "hash", "cookie", "license", "session", "dsn",
	// programs whose short flags take a password (with "pass": sshpass)
	"mysql", "mariadb", "redis-cli", "curl",
	// URLs that are secrets
	"hooks.slack", "discord", "webhook", "telegram",
	// the beginnings of tokens with a recognizable format (with "key": tskey)
	"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "xox", "sk-", "k_live_", "k_test_", "whsec_", "npm_", "pypi-", "hf_",
	"dop_v1_", "shpa", "shpc", "shpp", "shps", "aiza", "ya29.", "sg.", "akia", "asia", "eyj",
)

func needlesByLetter(words ...string) (all [256][]string) {
	for _, w := range words {
		all[w[0]] = append(all[w[0]], w[1:])
	}
	return all
}

// mayHaveSecret reports whether any pattern of MaskText may match s. Most texts have nothing
// that looks like a secret, and this takes a hundredth of the time of the patterns.
func mayHaveSecret(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c == '@' || c >= 0x80 { // (?i) also folds letters beyond ASCII: ſ is an s
			return true
		}
		for _, rest := range needles[lower(c)] {
			if hasFold(s[i+1:], rest) {
				return true
			}
		}
	}
	return false
}

// lower returns an ASCII letter in lower case.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// hasFold reports whether s begins with an ASCII prefix, which is in lower case.
func hasFold(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lower(s[i]) != prefix[i] {
			return false
		}
	}
	return true
}
