package sqlite

// cached is how many statements a connection keeps prepared, some 10 to 30 kB each.
const cached = 256

// cache keeps the statements of a connection that were used last.
type cache struct {
	conn   *conn
	byText map[string]*stmt
	// newest and oldest end the list of statements by use.
	newest, oldest *stmt
}

// get is the statement of that text, prepared when it is not at hand.
func (c *cache) get(text string) (*stmt, error) {
	if s, ok := c.byText[text]; ok {
		if s != c.newest {
			c.unlink(s)
			c.push(s)
		}
		return s, nil
	}
	s, err := c.conn.prepare(text)
	if err != nil {
		return nil, err
	}
	if c.byText == nil {
		c.byText = make(map[string]*stmt)
	}
	if len(c.byText) >= cached {
		c.evict()
	}
	c.byText[text] = s
	c.push(s)
	return s, nil
}

func (c *cache) evict() {
	s := c.oldest
	c.unlink(s)
	delete(c.byText, s.text)
	s.finalize()
}

func (c *cache) push(s *stmt) {
	s.newer, s.older = nil, c.newest
	if c.newest != nil {
		c.newest.newer = s
	}
	c.newest = s
	if c.oldest == nil {
		c.oldest = s
	}
}

func (c *cache) unlink(s *stmt) {
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

func (c *cache) clear() {
	for _, s := range c.byText {
		s.finalize()
	}
	*c = cache{conn: c.conn}
}
