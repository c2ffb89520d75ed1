package pull

import "database/sql"

// opener is the driver of PostgreSQL, as far as a migration knows it.
type opener struct{ *sql.DB }

func (opener) Dialect() string { return "postgres" }
