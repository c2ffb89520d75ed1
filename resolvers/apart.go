package resolvers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Conditions on rows of another database. That database is asked first, for the keys of the rows that
// meet the condition, and the statement compares columns with them: they are parameters, so
// that its text is made once. A question may need others itself.

// prepared is a level that is ready to be asked, and what has to be asked before.
type prepared struct {
	r         *Resolvers
	db        *database.DB
	statement driver.Statement
	asked     *query.Level // what it says, for explanations
	apart     *rules.Apart // nil when all of it is in one database
	questions []*prepared  // of apart, in its order
}

func (r *Resolvers) prepare(n rules.Narrowed) (*prepared, error) {
	p, err := r.prepareAlone(n)
	if err != nil || p.apart == nil {
		return p, err
	}
	p.questions, err = r.prepareAll(p.apart.Questions, map[string]*prepared{})
	return p, err
}

// prepareAll makes questions ready, and those that they need; equal ones once.
func (r *Resolvers) prepareAll(questions []*rules.Question, done map[string]*prepared) ([]*prepared, error) {
	out := make([]*prepared, len(questions))
	for i, q := range questions {
		p := done[q.Text()]
		if p == nil {
			var err error
			if p, err = r.prepareAlone(q.Level); err != nil {
				return nil, err
			}
			done[q.Text()] = p
			if p.apart != nil {
				if p.questions, err = r.prepareAll(p.apart.Questions, done); err != nil {
					return nil, err
				}
			}
		}
		out[i] = p
	}
	return out, nil
}

// prepareAlone is a level without the questions.
func (r *Resolvers) prepareAlone(n rules.Narrowed) (*prepared, error) {
	p := &prepared{r: r, db: r.Databases[n.Level().Type.DB]}
	asked := n
	if r.several {
		var err error
		if p.apart, err = n.Apart(r.Keys); err != nil {
			return nil, fault.New(fault.Invalid, "%s", err)
		}
		if p.apart != nil {
			asked = p.apart.Level
		}
	}
	var err error
	p.asked = asked.Level()
	p.statement, err = p.db.Prepare(asked)
	return p, err
}

// answers are those of questions, by Question.Text, while the data that they were asked of stands.
type answers map[string]*rules.Answer

// lender lends a reader of a database.
type lender func(ctx context.Context, db *database.DB, do func(driver.Reader) error) error

// ready asks the questions, and is the statement with the values to run it with.
func (p *prepared) ready(ctx context.Context, lend lender, known answers, b query.Binding) (driver.Statement, query.Binding, error) {
	if p.apart == nil {
		return p.statement, b, nil
	}
	found, err := answer(ctx, p.apart, p.questions, lend, known, b)
	if err != nil {
		return nil, b, err
	}
	b.Args = p.apart.Args(b.Args, found)
	return p.statement, b, nil
}

// answer is the answers to the questions of a level or write.
func answer(ctx context.Context, a *rules.Apart, questions []*prepared, lend lender, known answers, b query.Binding) ([]*rules.Answer, error) {
	found := make([]*rules.Answer, len(questions))
	for i, q := range questions {
		var err error
		if found[i], err = q.answer(ctx, a.Questions[i], lend, known, b); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// answer is the answer to one question.
func (p *prepared) answer(ctx context.Context, q *rules.Question, lend lender, known answers, b query.Binding) (*rules.Answer, error) {
	if a := known[q.Text()]; a != nil {
		return a, nil
	}
	statement, with, err := p.ready(ctx, lend, known, query.Binding{Args: b.Args, Claims: b.Claims})
	if err != nil {
		return nil, err
	}
	a, n := q.Answer(), 0
	err = lend(ctx, p.db, func(r driver.Reader) error {
		return each(ctx, r, statement, with, func(rows driver.Rows) error {
			if n++; n > p.r.Keys {
				return q.TooMany(p.r.Keys)
			}
			row := make([]schema.Value, q.Width())
			for i := range row {
				row[i] = rows.Value(i)
			}
			a.Add(row)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	a.Close(b)
	known[q.Text()] = a
	return a, nil
}

// each calls do with all questions that have to be asked, each once, and how deep it stands.
func (p *prepared) each(do func(of, question *prepared, i, depth int)) {
	seen := map[*prepared]bool{}
	var visit func(*prepared, int)
	visit = func(of *prepared, depth int) {
		for i, q := range of.questions {
			if !seen[q] {
				seen[q] = true
				do(of, q, i, depth)
				visit(q, depth+1)
			}
		}
	}
	visit(p, 0)
}

// print shows what is asked before a level.
func (p *prepared) print(b *strings.Builder, indent string) {
	if p == nil {
		return
	}
	p.each(func(of, q *prepared, i, depth int) {
		fmt.Fprintf(b, "%s%sfirst %s from %s: %s\n", indent, strings.Repeat("  ", depth), of.apart.Questions[i].Asked(), q.db.Name(), q.statement)
	})
}

// readers has the plan open the databases of all questions.
func (k *compiler) readers(p *prepared) {
	p.each(func(_, q *prepared, _, _ int) { k.reader(q.db.Name()) })
}

// ready is the statement of a level and the values to run it with. Levels that go at the same time
// ask their questions one after the other, so that those which are equal are asked once.
func (run *run) ready(ctx context.Context, l *level, keys []schema.Value) (driver.Statement, query.Binding, error) {
	b := run.binding
	b.Keys = keys
	if l.questions == nil {
		return l.statement, b, nil
	}
	run.apart.asking.Lock()
	defer run.apart.asking.Unlock()
	if l.joined != nil {
		return run.readyJoined(ctx, l, b)
	}
	return l.questions.ready(ctx, run.lend, run.apart.answers, b)
}

// lend is a reader that the run has already.
func (run *run) lend(_ context.Context, db *database.DB, do func(driver.Reader) error) error {
	n := slices.Index(run.plan.databases, db)
	if err := run.apart.down[n]; err != nil {
		return err
	}
	run.apart.busy[n].Lock()
	defer run.apart.busy[n].Unlock()
	return do(run.readers[n])
}

// lend is the transaction of a database, which sees what it has written, or else a view of it.
func (w *writing) lend(ctx context.Context, db *database.DB, do func(driver.Reader) error) error {
	if r := w.held(db); r != nil {
		return do(r)
	}
	if err := w.inOrder(db); err != nil {
		return err
	}
	return db.View(ctx, do)
}

// readyWrite asks what a write needs from other databases, and is the write and the values to do it with.
func (w *writing) readyWrite(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (rules.NarrowedWrite, query.Binding, error) {
	if !w.r.several {
		return n, b, nil
	}
	a, err := n.Apart(w.r.Keys)
	if err != nil {
		return n, b, fault.New(fault.Invalid, "%s", err)
	}
	if a == nil {
		return n, b, nil
	}
	questions, err := w.r.prepareAll(a.Questions, map[string]*prepared{})
	if err != nil {
		return n, b, err
	}
	found, err := answer(ctx, a, questions, w.lend, answers{}, b)
	if err != nil {
		return n, b, err
	}
	b.Args = a.Args(b.Args, found)
	return a.Write, b, nil
}
