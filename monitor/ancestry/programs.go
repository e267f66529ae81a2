package ancestry

// Titles of parents that are words rather than names. The user interface
// translates them.
const (
	SSHSession    = "an SSH session"
	MoshSession   = "a mosh session"
	TextConsole   = "a text console"
	CommandPrompt = "the command prompt"
	JetBrainsIDE  = "a JetBrains IDE"
	SomeContainer = "a container"
	UserSystemd   = "systemd (user)"
)

// TmuxTitle is the title of tmux, the only multiplexer whose panes can be selected.
const TmuxTitle = "tmux"

var wordTitles = []string{SSHSession, MoshSession, TextConsole, CommandPrompt, JetBrainsIDE, SomeContainer, UserSystemd}

// knownProgram is a program whose presence among the parents explains something.
type knownProgram struct {
	role  Role
	title string // "" if the program's name is its title
}

// knownPrograms maps lower-case file names of programs to their role. The kernel
// truncates process names to 15 bytes, so truncated names are listed too.
var knownPrograms = map[string]knownProgram{
	"systemd": {System, ""}, "init": {System, ""}, "launchd": {System, ""}, "openrc-init": {System, ""}, "runit": {System, ""},

	"cron": {Cron, ""}, "crond": {Cron, ""}, "anacron": {Cron, ""}, "fcron": {Cron, ""}, "atd": {Cron, "at"},

	"sshd": {SSH, SSHSession}, "sshd-session": {SSH, SSHSession}, "dropbear": {SSH, SSHSession},
	"mosh-server": {SSH, MoshSession},

	"gnome-terminal-server": {Terminal, "GNOME Terminal"}, "gnome-terminal-": {Terminal, "GNOME Terminal"}, "gnome-terminal": {Terminal, "GNOME Terminal"},
	"kgx": {Terminal, "GNOME Console"}, "gnome-console": {Terminal, "GNOME Console"}, "ptyxis": {Terminal, "Ptyxis"}, "ptyxis-agent": {Terminal, "Ptyxis"},
	"konsole": {Terminal, "Konsole"}, "yakuake": {Terminal, "Yakuake"}, "xterm": {Terminal, ""}, "uxterm": {Terminal, ""}, "urxvt": {Terminal, ""},
	"urxvtd": {Terminal, "urxvt"}, "rxvt": {Terminal, ""}, "st": {Terminal, ""}, "alacritty": {Terminal, "Alacritty"}, "kitty": {Terminal, ""},
	"foot": {Terminal, ""}, "footclient": {Terminal, "foot"}, "wezterm": {Terminal, "WezTerm"}, "wezterm-gui": {Terminal, "WezTerm"},
	"wezterm-mux-server": {Tmux, "WezTerm's multiplexer"}, "wezterm-mux-ser": {Tmux, "WezTerm's multiplexer"}, "ghostty": {Terminal, "Ghostty"},
	"xfce4-terminal": {Terminal, "Xfce Terminal"}, "tilix": {Terminal, "Tilix"}, "terminator": {Terminal, "Terminator"}, "guake": {Terminal, "Guake"},
	"tilda": {Terminal, "Tilda"}, "mate-terminal": {Terminal, "MATE Terminal"}, "lxterminal": {Terminal, "LXTerminal"}, "qterminal": {Terminal, "QTerminal"},
	"deepin-terminal": {Terminal, "Deepin Terminal"}, "terminology": {Terminal, "Terminology"}, "rio": {Terminal, "Rio"}, "warp-terminal": {Terminal, "Warp"},
	"terminal": {Terminal, "Terminal"}, "iterm2": {Terminal, "iTerm2"}, "windowsterminal": {Terminal, "Windows Terminal"}, "login": {Terminal, TextConsole},

	"tmux": {Tmux, ""}, "screen": {Tmux, ""}, "zellij": {Tmux, ""}, "byobu": {Tmux, ""}, "dtach": {Tmux, ""}, "abduco": {Tmux, ""},

	"sh": {Shell, ""}, "bash": {Shell, ""}, "zsh": {Shell, ""}, "fish": {Shell, ""}, "dash": {Shell, ""}, "ash": {Shell, ""}, "ksh": {Shell, ""},
	"mksh": {Shell, ""}, "tcsh": {Shell, ""}, "csh": {Shell, ""}, "nu": {Shell, "Nushell"}, "elvish": {Shell, ""}, "xonsh": {Shell, ""},
	"pwsh": {Shell, "PowerShell"}, "powershell": {Shell, "PowerShell"}, "cmd": {Shell, CommandPrompt},

	"code": {IDE, "VS Code"}, "code-insiders": {IDE, "VS Code"}, "code-server": {IDE, "code-server"}, "code-tunnel": {IDE, "VS Code"},
	"codium": {IDE, "VSCodium"}, "vscodium": {IDE, "VSCodium"}, "cursor": {IDE, "Cursor"}, "windsurf": {IDE, "Windsurf"}, "zed": {IDE, "Zed"},
	"zed-editor": {IDE, "Zed"}, "idea": {IDE, "IntelliJ IDEA"}, "idea.sh": {IDE, "IntelliJ IDEA"}, "goland": {IDE, "GoLand"}, "pycharm": {IDE, "PyCharm"},
	"webstorm": {IDE, "WebStorm"}, "phpstorm": {IDE, "PhpStorm"}, "rubymine": {IDE, "RubyMine"}, "clion": {IDE, "CLion"}, "rider": {IDE, "Rider"},
	"rustrover": {IDE, "RustRover"}, "datagrip": {IDE, "DataGrip"}, "studio": {IDE, "Android Studio"}, "eclipse": {IDE, "Eclipse"},
	"sublime_text": {IDE, "Sublime Text"}, "emacs": {IDE, "Emacs"}, "vim": {IDE, "Vim"}, "nvim": {IDE, "Neovim"},

	"pm2": {Supervisor, ""}, "supervisord": {Supervisor, ""}, "runsv": {Supervisor, "runit"}, "s6-supervise": {Supervisor, "s6"}, "monit": {Supervisor, ""},
	"circusd": {Supervisor, "Circus"}, "god": {Supervisor, ""},

	"containerd-shim": {Container, SomeContainer}, "containerd-shim-runc-v2": {Container, SomeContainer}, "conmon": {Container, SomeContainer},
	"dockerd": {Container, "Docker"}, "containerd": {Container, "containerd"}, "docker-init": {Container, SomeContainer}, "tini": {Container, SomeContainer},
	"catatonit": {Container, SomeContainer}, "lxc-start": {Container, SomeContainer}, "systemd-nspawn": {Container, SomeContainer},
}

// serverHelpers maps lower-case names of programs that only start and watch one server
// of the same package to that server.
var serverHelpers = map[string][]string{
	"starter": {"charon"}, "fbguard": {"firebird"}, "courierlogger": {"couriertcpd"}, "mysqld_safe": {"mysqld", "mariadbd"},
	"mariadbd-safe": {"mariadbd"}, "ejabberdctl": {"beam.smp"},
}
