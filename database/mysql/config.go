package mysql

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"spacecloud/database/driver"
)

// like is what a URL is like.
const like = "mysql://user:password@host:3306/name" //nolint:gosec // an example

// options are what a URL may say besides.
var options = map[string]string{
	"pool_max_conns": "the most connections",
	"socket":         "the path of the server's socket",
	"tls":            "true, skip-verify, preferred or false",
}

// configure reads a URL. What cannot be read is not told again: it may hold a password.
func configure(address string) (*mysql.Config, int, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" || u.Opaque != "" {
		return nil, 0, driver.UnreadableURL(like)
	}
	config := mysql.NewConfig()
	config.DBName = strings.TrimPrefix(u.Path, "/")
	if config.DBName == "" {
		return nil, 0, driver.UnnamedURL(like)
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.Net, config.Addr = "tcp", net.JoinHostPort(orElse(u.Hostname(), "localhost"), orElse(u.Port(), "3306"))
	config.ClientFoundRows = true // what is affected is what was matched
	config.MaxAllowedPacket = 0   // what the server says
	config.Timeout = 10 * time.Second
	config.Logger = &mysql.NopLogger{}
	size, err := configureBy(config, u.Query())
	return config, size, err
}

func configureBy(config *mysql.Config, values url.Values) (size int, err error) {
	size = defaultSize()
	for name := range values {
		value := values.Get(name)
		switch name {
		case "pool_max_conns":
			if size, err = strconv.Atoi(value); err != nil || size < 1 {
				return 0, driver.BadOption(name, "a number from 1 on", value)
			}
		case "socket":
			config.Net, config.Addr = "unix", value
		case "tls":
			if !slices.Contains([]string{"true", "false", "skip-verify", "preferred"}, value) {
				return 0, driver.BadOption(name, options["tls"], value)
			}
			config.TLSConfig = value
		default:
			return 0, driver.UnknownOption(name, slices.Collect(maps.Keys(options))...)
		}
	}
	return size, nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
