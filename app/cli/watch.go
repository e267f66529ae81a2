package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"porthole/app/settings"
	"porthole/monitor"
	"porthole/monitor/watch"
)

// watchOptions are the flags of "watch add".
type watchOptions struct {
	Options
	Name  string
	Match string
	// Health is the path of the health check; "" for none.
	Health string
}

func newWatch() *cobra.Command {
	o := watchOptions{Options: standardOptions()}
	c := &cobra.Command{
		Use:   "watch",
		Short: "Add, list and remove watches",
		Long: `Add, list and remove watches. They are written to the settings file, whose other
lines stay as they are. A running Porthole applies the change at once.`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return UsageError{fmt.Sprintf("unknown command %q; see %s --help", monitor.Clean(args[0], 40), c.CommandPath())}
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	add := &cobra.Command{
		Use:   "add [PORT | RANGE | PORT/udp]...",
		Short: "Watch ports, or with --match a service wherever it listens",
		Long: `Watch ports, or with --match a service wherever it listens. A port or range after "-"
is left out: porthole watch add 40001-40008,-40003. As arguments of their own, such
ports need "--" before them: porthole watch add -- 40001-40008 -40003.`,
		RunE: func(_ *cobra.Command, args []string) error { return runWatchAdd(args, o) },
	}
	add.Flags().StringVar(&o.Name, "name", "", "`NAME` of the watch in notifications")
	add.Flags().StringVar(&o.Match, "match", "", "watch only listeners that match all words of `PATTERN`")
	add.Flags().StringVar(&o.Health, "health", "", "ask for this `PATH` every 10 s and report when the answer is no status below 500")
	list := &cobra.Command{
		Use:   "list",
		Short: "List the watches",
		Args:  Args(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return runWatchList(o.Options) },
	}
	o.addJSON(list, "print one JSON object")
	remove := &cobra.Command{
		Use:   "remove PORT | RANGE | PORT/udp | NAME",
		Short: "Remove the watches of exactly these ports, or with this name",
		Args:  Args(cobra.ExactArgs(1)),
		RunE:  func(_ *cobra.Command, args []string) error { return runWatchRemove(args[0], o.Options) },
	}
	c.AddCommand(add, list, remove)
	return c
}

// watchJSON is a watch in the output of watch list --json.
type watchJSON struct {
	Name  string `json:"name,omitempty"`
	Ports string `json:"ports,omitempty"`
	Match string `json:"match,omitempty"`
	Off   bool   `json:"off,omitempty"`
	// Health is the path of the health check.
	Health string `json:"health,omitempty"`
}

// watchesJSON is the output of watch list --json.
type watchesJSON struct {
	Watches []watchJSON `json:"watches"`
}

// runWatchAdd adds a watch to the settings file. It does nothing if there is an equal
// one that is switched on, or one that covers all its ports.
func runWatchAdd(args []string, o watchOptions) error {
	rule, err := parseWatched(args...)
	if err != nil {
		return UsageError{err.Error()}
	}
	rule.Name = o.Name
	if rule.Match, err = watch.ParsePattern(o.Match); err != nil {
		return UsageError{"--match: " + err.Error()}
	}
	if rule.Health = o.Health; rule.Health != "" {
		if err := rule.CheckHealth(); err != nil {
			return UsageError{fmt.Sprintf("--health %s: %v", monitor.Clean(o.Health, 60), err)}
		}
	}
	if rule.Ports == nil && rule.Match.IsZero() {
		return UsageError{"a watch needs ports, such as 3000-3999, or --match"}
	}
	var covering watch.Rule
	covered := false
	_, err = settings.Open(settings.Path()).ChangeWatches(func(r watch.Rules) watch.Rules {
		covered = false
		if slices.ContainsFunc(r, rule.Equal) {
			return r
		}
		if with, found := r.WithHealth(rule); found && rule.Health != "" {
			return with
		}
		if covering, covered = r.Covering(rule); covered {
			return r
		}
		if port, single := rule.SingleTCP(); single && rule.Name == "" && rule.Match.IsZero() && rule.Health == "" {
			return r.WithPort(port)
		}
		return append(slices.Clone(r), rule)
	})
	if err != nil {
		return fmt.Errorf("add a watch: %w", err)
	}
	if covered {
		_, err := fmt.Fprintf(o.Stdout, "%s is covered already by the watch %q.\n", rule.PortsText(), monitor.Clean(covering.PortsText(), 200))
		return err
	}
	return printWatch(o.Stdout, "Watching ", rule)
}

// parseWatched returns a rule about the ports in texts, which are written as in the
// settings file; about none without texts. An error is one sentence for the user.
func parseWatched(texts ...string) (rule watch.Rule, err error) {
	if len(texts) > 0 {
		err = rule.ParsePorts(strings.Join(texts, " "))
	}
	return rule, err
}

// samePorts reports whether rule is about exactly the ports of wanted; if wanted
// excludes none, exclusions of rule do not count.
func samePorts(rule, wanted watch.Rule) bool {
	if wanted.Except == nil {
		rule.Except = nil
	}
	return rule.PortsText() == wanted.PortsText()
}

// runWatchRemove removes the watches whose ports or name are text.
func runWatchRemove(text string, o Options) error {
	wanted, notPorts := parseWatched(text)
	var removed watch.Rules
	_, err := settings.Open(settings.Path()).ChangeWatches(func(r watch.Rules) watch.Rules {
		removed = nil
		return slices.DeleteFunc(slices.Clone(r), func(rule watch.Rule) bool {
			found := rule.Name == text || notPorts == nil && samePorts(rule, wanted)
			if found {
				removed = append(removed, rule)
			}
			return found
		})
	})
	switch {
	case err != nil:
		return fmt.Errorf("remove a watch: %w", err)
	case len(removed) == 0:
		return fmt.Errorf("no watch has exactly the ports or the name %q; see porthole watch list", monitor.Clean(text, 60))
	}
	for _, rule := range removed {
		if err := printWatch(o.Stdout, "Removed the watch of ", rule); err != nil {
			return err
		}
	}
	return nil
}

// runWatchList prints the watches in the settings file.
func runWatchList(o Options) error {
	s, err := settings.Open(settings.Path()).Load()
	if err != nil {
		return err
	}
	if o.JSON {
		out := watchesJSON{Watches: []watchJSON{}}
		for _, r := range s.Watches {
			out.Watches = append(out.Watches, watchJSON{r.Name, r.PortsText(), r.Match.String(), r.Off, r.Health})
		}
		return writeLine(o.Stdout, out)
	}
	if len(s.Watches) == 0 {
		_, err := fmt.Fprintln(o.Stdout, "No watches.")
		return err
	}
	for _, rule := range s.Watches {
		if err := printWatch(o.Stdout, "", rule); err != nil {
			return err
		}
	}
	return nil
}

// printWatch prints a watch on one line: "3000-3999, match vite, name shop (off)".
func printWatch(w io.Writer, before string, rule watch.Rule) error {
	var parts []string
	for _, p := range []string{rule.PortsText(), orElse("match ", rule.Match.String()), orElse("name ", rule.Name), orElse("health ", rule.Health)} {
		if p != "" {
			parts = append(parts, monitor.Clean(p, 200))
		}
	}
	off := ""
	if rule.Off {
		off = " (off)"
	}
	_, err := fmt.Fprintln(w, before+strings.Join(parts, ", ")+off)
	return err
}
