package pull

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/mysql"
	"spacecloud/tests/mariadb"
)

// Who may not come in is told so, and the log of it holds no password.
func TestAWrongPasswordIsToldWithoutIt(t *testing.T) {
	address, err := url.Parse(mariadb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("ann", "hunter2")
	drivers := database.Drivers{"mysql": func(ctx context.Context, url string) (driver.Driver, error) { return mysql.Open(ctx, url) }}
	_, err = drivers.Open(t.Context(), "shop", address.String())
	if err == nil || !strings.Contains(err.Error(), "database shop: the server does not let this user in") {
		t.Errorf("got %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is told: %v", err)
	}
}
