package postgres

import "context"

// cached is how many statements a connection keeps prepared.
const cached = 512

// cache keeps the statements of a connection that were used last.
type cache struct {
	conn   *conn
	byText map[string]*prepared
	// newest and oldest end the list of statements by use.
	newest, oldest *prepared
}

// get is the statement of that text, prepared when it is not at hand.
func (c *cache) get(ctx context.Context, text string) (*prepared, error) {
	if s, ok := c.byText[text]; ok {
		if s != c.newest {
			c.unlink(s)
			c.push(s)
		}
		return s, nil
	}
	s, err := c.conn.prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if c.byText == nil {
		c.byText = make(map[string]*prepared)
	}
	if len(c.byText) >= cached {
		if err := c.evict(ctx); err != nil {
			return nil, err
		}
	}
	c.byText[text] = s
	c.push(s)
	return s, nil
}

func (c *cache) evict(ctx context.Context) error {
	s := c.oldest
	c.unlink(s)
	delete(c.byText, s.text)
	return c.conn.pg.Deallocate(ctx, s.description.Name)
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

// clear gives up all statements.
func (c *cache) clear(ctx context.Context) error {
	*c = cache{conn: c.conn}
	_, err := c.conn.pg.Exec(ctx, "DEALLOCATE ALL").ReadAll()
	return err
}
