package migrate

import "slices"

// addViews makes the views as they are wanted. A view holds no data, so that one of ours is
// dropped and made again whenever a table that it may read is rewritten.
func (d *draft) addViews() {
	d.arrangeViews(d)
	var drop, create []Step
	wanted := map[string]bool{}
	for _, v := range d.want.views {
		wanted[v.Name] = true
		text := d.want.createView(v.Name, v.SQL)
		found, there := d.have.views[v.Name]
		made, ours := d.have.record.Views[v.Name]
		switch change := (Change{lacks: true}); {
		case there && !ours && found != text:
			change.Comment = "create view " + v.Name
			d.add(Step{Object: "view " + v.Name, Changes: []Change{change.impossible("a view of that name is there and was not made here; drop it, or choose another name with @view(name: …)")}})
		case !there:
			change.Comment = "create view " + v.Name
			create = append(create, viewStep(v.Name, text, change, "DROP VIEW "+d.quote(v.Name)))
		case ours && made != text:
			change.Comment = "change view " + v.Name
			drop = append(drop, viewStep(v.Name, "DROP VIEW "+d.quote(v.Name), Change{Comment: "drop the old view " + v.Name}, made))
			create = append(create, viewStep(v.Name, text, change, "DROP VIEW "+d.quote(v.Name)))
		case ours && d.rewrite:
			drop = append(drop, viewStep(v.Name, "DROP VIEW "+d.quote(v.Name), Change{Comment: "set view " + v.Name + " aside"}, made))
			create = append(create, viewStep(v.Name, text, Change{Comment: "put view " + v.Name + " back"}, "DROP VIEW "+d.quote(v.Name)))
		}
	}
	for _, name := range d.have.ourViews() {
		if !wanted[name] {
			drop = append(drop, viewStep(name, "DROP VIEW "+d.quote(name), Change{Comment: "drop view " + name}, d.have.record.Views[name]))
		}
	}
	d.plan.Steps = slices.Concat(d.arrangeDrops(drop), d.plan.Steps, create)
}

func viewStep(name, statement string, change Change, undo string) Step {
	return Step{Object: "view " + name, Changes: []Change{change}, Statements: []string{statement}, Reverse: []string{undo}}
}
