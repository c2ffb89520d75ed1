package mysql

import "database/sql/driver"

// cached is how many statements a connection keeps prepared. A server has 16382 for all its
// connections, unless its max_prepared_stmt_count says otherwise.
const cached = 256

// prepared is one statement of a connection.
type prepared struct {
	stmt driver.Stmt
	text string

	newer, older *prepared // in the cache
}

// cache keeps the statements of a connection that were used last.
type cache struct {
	conn   *conn
	byText map[string]*prepared
	// newest and oldest end the list of statements by use.
	newest, oldest *prepared
}

// get is the statement of that text, prepared when it is not at hand.
func (c *cache) get(text string) (*prepared, error) {
	if s, ok := c.byText[text]; ok {
		if s != c.newest {
			c.unlink(s)
			c.push(s)
		}
		return s, nil
	}
	stmt, err := c.conn.raw.Prepare(text)
	if err != nil {
		return nil, err
	}
	s := &prepared{stmt: stmt, text: text}
	if c.byText == nil {
		c.byText = make(map[string]*prepared)
	}
	if len(c.byText) >= cached {
		c.evict()
	}
	c.byText[text] = s
	c.push(s)
	return s, nil
}

// evict closes the statement that was not used for longest. The server does not answer that.
func (c *cache) evict() {
	s := c.oldest
	c.unlink(s)
	delete(c.byText, s.text)
	_ = s.stmt.Close()
}

func (c *cache) push(s *prepared) {
	s.newer, s.older = nil, c.newest
	if c.newest != nil {
		c.newest.newer = s
	}
	c.newest = s
	if c.oldest == nil {
		c.oldest = s
	}
}

func (c *cache) unlink(s *prepared) {
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		c.newest = s.older
	}
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		c.oldest = s.newer
	}
}
