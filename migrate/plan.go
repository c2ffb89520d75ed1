package migrate

import (
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Plan is what has to be done so that one database can hold the rows of a schema. It is a
// value: nothing has been done yet.
type Plan struct {
	Database string // as the configuration calls it: main
	Product  string // SQLite 3.54.1
	Steps    []Step
	// Kept are things of ours that the schema no longer has and that stay.
	Kept []string
	// Foreign are tables that are not in the schema and that we did not make: not touched.
	Foreign []string
	// Drift is how the database was changed since the last migration, by others.
	Drift []Drift
	// Unfinished is whether the last migration did not end. This plan goes on from what it did.
	Unfinished bool
	// Undoes is the migration that the plan undoes, nil for a plan that leads to a schema.
	Undoes *Entry
	// Lost is what that migration lost, which does not come back.
	Lost []string

	bare      bool            // Lost may stay lost
	sources   []schema.Source // of the schema that it leads to
	carried   memory          // of migrations that did not end
	renames   []renaming      // those of documents; tables have steps for theirs
	had       record          // what was ours before
	made      record          // what is ours once the plan is done
	meanwhile record          // what may be ours until then, where that is no transaction
	grown     bool            // made differs from what the ledger says
	finger    string
}

// Step is what is done to one table, collection or view, by statements that belong together.
// Statements of MongoDB are its commands, in its extended JSON.
type Step struct {
	Object     string // posts, view top_posts
	Changes    []Change
	Statements []string
	// Reverse leads back: what it removes or rewrites is not brought back. Empty where no
	// statement does.
	Reverse []string
	// Locks says who waits meanwhile; empty where nobody notices.
	Locks string

	phase  phase
	rename renaming // of a step that renames
	// turn is the statement that makes the change. Those before it prepare it, and undo takes
	// away what they made when it fails.
	turn     int
	undo     []string
	staged   bool     // whether the turn does away with what was prepared
	commands []bson.D // what the statements say, for databases of documents
}

// phase is when a step can be done, in databases to which the order matters.
type phase uint8

const (
	cleared phase = iota // what a failed migration left is taken away
	renamed
	untied // foreign keys are dropped
	dropped
	altered
	created
	tied // foreign keys are added
)

// Change is one thing that a step changes, and what the data says about it.
type Change struct {
	Comment string // add column posts.subtitle
	Verdict Verdict
	Reason  string // of a verdict other than Harmless, with the way out
	Check   string // the data check that was run: "no row of users.email is null"

	lacks bool   // the schema cannot be served without it
	lost  string // what rows that are there lose
	part  string // what of the object it is about, as its shape calls it
}

// Verdict is what a change does to the data that is there.
type Verdict uint8

// The verdicts.
const (
	Harmless   Verdict = iota
	Destroys           // loses data; only with permission
	Impossible         // the data does not allow it; no permission helps
)

func (v Verdict) String() string { return [...]string{"harmless", "destroys", "impossible"}[v] }

// Empty is whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Steps) == 0 }

// Destroys is whether something is lost by the plan.
func (p Plan) Destroys() bool { return len(p.with(Destroys)) > 0 }

// Statements is how many statements the plan runs.
func (p Plan) Statements() int { return len(p.statements()) }

func (p Plan) statements() []string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, s.Statements...)
	}
	return all
}

// Refused is why the plan must not be applied, nil when it may be. What the data does not
// allow is refused also with mayDestroy.
func (p Plan) Refused(mayDestroy bool) error {
	if p.Undoes != nil {
		return p.refusedDown(mayDestroy)
	}
	refused := p.with(Impossible)
	destroying := p.with(Destroys)
	if !mayDestroy {
		refused = append(refused, destroying...)
	}
	if len(refused) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "database %s was not migrated:", p.Database)
	for _, c := range refused {
		fmt.Fprintf(&b, "\n  %s: %s", c.Comment, c.Reason)
	}
	if !mayDestroy && len(destroying) > 0 {
		b.WriteString("\n  (a new name for the same thing is said by @renamed(from: \"…\"); what may be lost is allowed by: spacecloud migrate apply --allow-destructive)")
	}
	return fault.New(fault.Conflict, "%s", b.String())
}

// Lacks are the changes that the schema cannot be served without. What a database has beyond
// them is fine: the newer version of a rolling deploy may have put it there.
func (p Plan) Lacks() []Change {
	var lacking []Change
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			if c.lacks {
				lacking = append(lacking, c)
			}
		}
	}
	return lacking
}

func (p Plan) with(v Verdict) []Change {
	var found []Change
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			if c.Verdict == v {
				found = append(found, c)
			}
		}
	}
	return found
}

// String is the plan for people.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n", p.Database, p.Product, p.Summary())
	p.printAround(&b)
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "\n%d. %s\n", i+1, s.Object)
		s.print(&b)
	}
	if len(p.Steps) > 0 && len(p.Kept)+len(p.Foreign) > 0 {
		b.WriteByte('\n')
	}
	for _, k := range p.Kept {
		b.WriteString("stays: " + k + "\n")
	}
	if len(p.Foreign) > 0 {
		b.WriteString("not ours, left alone: " + strings.Join(p.Foreign, ", ") + "\n")
	}
	return b.String()
}

// Summary is the plan in a line.
func (p Plan) Summary() string {
	if p.Undoes != nil {
		return fmt.Sprintf("undo migration %d of %s: %s", p.Undoes.ID, p.Undoes.At.Format(time.RFC3339), p.amount())
	}
	return p.amount()
}

// printAround says what is to be known beside the steps.
func (p Plan) printAround(b *strings.Builder) {
	if p.Unfinished {
		b.WriteString("unfinished: the last migration did not end; these are the steps from where it is\n")
	}
	for _, lost := range p.Lost {
		b.WriteString("lost for good: " + lost + "\n")
	}
	for _, d := range p.Drift {
		fmt.Fprintf(b, "changed outside: %s\n  %s\n", d.What, d.Right)
	}
}

func (p Plan) amount() string {
	if p.Empty() {
		return "nothing to do"
	}
	text := count(len(p.Steps), "step")
	if n := len(p.with(Destroys)); n > 0 {
		text += ", " + count(n, "change") + " that destroy"
		if n == 1 {
			text += "s"
		}
	}
	if n := len(p.with(Impossible)); n > 0 {
		text += ", " + count(n, "change") + " that the data does not allow"
	}
	return text
}

func (s Step) print(b *strings.Builder) {
	for _, c := range s.Changes {
		b.WriteString("   " + c.Comment)
		switch c.Verdict {
		case Destroys:
			b.WriteString("\n     DESTROYS: " + c.Reason)
		case Impossible:
			b.WriteString("\n     NOT POSSIBLE: " + c.Reason)
		}
		if c.Check != "" {
			b.WriteString("\n     checked: " + c.Check)
		}
		b.WriteByte('\n')
	}
	if s.Locks != "" {
		b.WriteString("   locks: " + s.Locks + "\n")
	}
	printStatements(b, "", s.Statements)
	printStatements(b, "way back: ", s.Reverse)
}

func printStatements(b *strings.Builder, label string, statements []string) {
	for _, s := range statements {
		b.WriteString("     " + label + strings.ReplaceAll(s, "\n", "\n       ") + ";\n")
	}
}

// count is a number of things in words: 1 row, 17 rows.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
