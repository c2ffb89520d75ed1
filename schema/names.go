package schema

import (
	"fmt"
	"slices"
	"strings"
)

// claim is who has taken a name.
type claim struct {
	who string
	pos Pos
	// told is whom a clash with was said: one field is enough to know of all.
	told map[string]bool
}

// builtinFields are the fields of the API that no type makes.
var builtinFields = map[string][]string{
	"Query":    {"topicMessages", "fileDownloadUrl"},
	"Mutation": {"callFunction", "queueEvent", "publish", "fileUploadUrl"},
}

// builtinTypes are the types of the API that no type makes, besides scalars and their filters.
var builtinTypes = []string{
	"Query", "Mutation", "Subscription", "PageInfo", "TopicMessage", "Upload",
	"OrderDirection", "ChangeOp", "CountFilter",
}

// typeSuffixes make the names of the types that the API has for a table besides its own.
var typeSuffixes = []string{
	"Where", "ManyWhere", "Order", "Field", "Connection", "Edge", "Aggregate", "Group", "GroupOrder", "Having",
	"Insert", "OnConflict", "Mutation", "Set", "Inc", "Mul", "Max", "Min", "Push", "Pull", "Rename",
	"Change", "Key",
	"AggregateDistinct", "AggregateSum", "AggregateAvg", "AggregateExtreme", "GroupKey",
	"HavingDistinct", "HavingSum", "HavingAvg", "HavingExtreme",
	"GroupOrderDistinct", "GroupOrderNumeric", "GroupOrderSortable",
	"DateField", "NullableField", "UniqueField", "SetField", "SetMany", "Connect",
}

// queryFields and mutationFields are the root fields that a type makes; queries are
// subscriptions as well.
func (t *Type) queryFields() []string {
	names := []string{t.Single, t.Plural, t.Plural + "Connection", t.Plural + "Aggregate", t.Plural + "Groups", t.Plural + "Changes"}
	for _, u := range t.Uniques {
		names = append(names, t.KeyName(u))
	}
	return names
}

func (t *Type) mutationFields() []string {
	if t.Kind == View {
		return nil
	}
	var names []string
	for _, verb := range []string{"insert", "update", "upsert", "delete"} {
		names = append(names, verb+upperFirst(t.Single), verb+upperFirst(t.Plural))
	}
	return names
}

// checkNames finds names that would be taken twice, in the API and in the databases.
func (c *checker) checkNames() {
	c.checkTypeNames()
	c.checkRootFields()
	c.checkLinkFields()
	c.checkPhysical()
	renamed := map[string]*Type{}
	for _, t := range c.schema.Types {
		if t.Renamed == "" {
			continue
		}
		if other := renamed[t.Renamed]; other != nil {
			c.errorAt(t.Pos, "%s and %s both say that they were %s; only one can have been", other.Name, t.Name, t.Renamed)
		}
		if c.declared[t.Renamed] != nil {
			c.errorAt(t.Pos, "%s was renamed from %s, which is still there; remove one of them", t.Name, t.Renamed)
		}
		renamed[t.Renamed] = t
	}
}

// linkTypes are the inputs that the API has for what is written along the type's links.
func (t *Type) linkTypes() []string {
	var names []string
	for _, f := range t.Fields {
		if f.IsLink() {
			names = append(names, t.Name+upperFirst(f.Name)+"Link", t.Name+upperFirst(f.Name)+"LinkSet")
		}
	}
	return names
}

func (c *checker) checkTypeNames() {
	taken := map[string]string{}
	for _, n := range builtinTypes {
		taken[n] = "is a type of the API"
	}
	for n := range scalars {
		taken[n+"Filter"] = "is the filter of " + n
		taken[n+"ListFilter"] = "is the filter of lists of " + n
	}
	for _, e := range c.schema.Enums {
		taken[e.Name+"Filter"] = "is the filter of enum " + e.Name
		taken[e.Name+"ListFilter"] = "is the filter of lists of enum " + e.Name
	}
	for _, v := range c.schema.Values {
		taken[v.Name+"Input"] = "is the input of type " + v.Name
		taken[v.Name+"Where"] = "is the filter of type " + v.Name
		taken[v.Name+"ListFilter"] = "is the filter of lists of type " + v.Name
	}
	for _, t := range c.schema.Types {
		if t.Owned {
			continue
		}
		for _, s := range typeSuffixes {
			taken[t.Name+s] = "is a type that the API has for type " + t.Name
		}
		for _, n := range t.linkTypes() {
			if why, ok := taken[n]; ok && strings.HasPrefix(why, "is a type that the API has for the link") {
				c.errorAt(t.Pos, "the links of %s make the type %s, which %s; rename the link or the type", t.Name, n, why)
			}
			taken[n] = "is a type that the API has for the links of " + t.Name
		}
	}
	for _, def := range c.order {
		if why, ok := taken[def.Name]; ok {
			c.errorf(def.Position, "%s %s; rename one of them (@renamed and @table(name:) keep the rows of a table)", def.Name, why)
		}
	}
}

func (c *checker) checkRootFields() {
	taken := map[string]claim{}
	for root, names := range builtinFields {
		for _, n := range names {
			taken[root+"."+n] = claim{who: "the API"}
		}
	}
	for _, t := range c.schema.Types {
		if t.Owned {
			continue
		}
		mine := claim{"type " + t.Name, t.Pos, map[string]bool{}}
		for _, n := range t.queryFields() {
			c.take(taken, "Query."+n, mine)
		}
		for _, n := range t.mutationFields() {
			c.take(taken, "Mutation."+n, mine)
		}
	}
	for _, d := range c.schema.Declared {
		on, field, isField := strings.Cut(d.On, ".")
		if on == "Subscription" {
			on = "Query" // whose fields are live queries in the subscription
		}
		if isField && slices.Contains(roots, on) {
			c.take(taken, on+"."+field, claim{who: "\"extend type\"", pos: d.Pos, told: map[string]bool{}})
		}
	}
}

func (c *checker) take(taken map[string]claim, name string, by claim) {
	first, ok := taken[name]
	if !ok {
		taken[name] = by
		return
	}
	if first.who == by.who && first.pos == by.pos || by.told[first.who] {
		return // a type whose names clash with each other has its own problem
	}
	by.told[first.who] = true
	c.errorAt(by.pos, "%s and %s both make the field %s; say @table(single: …, plural: …) on one, or rename it", first.who, by.who, name)
}

// checkLinkFields finds fields that stand where a list has its connection and aggregate.
func (c *checker) checkLinkFields() {
	for _, t := range c.schema.Types {
		for _, f := range t.Fields {
			if !f.IsLink() || !f.Link.Many {
				continue
			}
			for _, suffix := range []string{"Connection", "Aggregate"} {
				if other := t.byName[f.Name+suffix]; other != nil {
					c.errorAt(other.Pos, "%s.%s is what the API makes for the list %s; rename one of them", t.Name, other.Name, f.Name)
				}
				if c.codeDeclared(t.Name + "." + f.Name + suffix) {
					c.errorAt(f.Pos, "%s.%s makes %s%s, which \"extend type\" declares; rename one of them", t.Name, f.Name, f.Name, suffix)
				}
			}
		}
	}
}

// checkPhysical finds tables and indexes that would have one name. Databases differ in
// whether case counts, so it does not.
func (c *checker) checkPhysical() {
	tables, indexes := map[string]*Type{}, map[string]string{}
	for _, t := range c.schema.Types {
		key := t.DB + "\x00" + strings.ToLower(t.Table)
		if other := tables[key]; other != nil {
			c.errorAt(t.Pos, "%s and %s are both the table %s of database %s; say @table(name:) on one", other.described(), t.described(), t.Table, t.DB)
		}
		tables[key] = t
		for _, ix := range slices.Concat(t.Uniques, t.Indexes) {
			key := t.DB + "\x00" + strings.ToLower(ix.Name)
			where := fmt.Sprintf("%s(%s)", t.Name, strings.Join(fieldNames(indexFields(ix)), ", "))
			other, ok := indexes[key]
			switch {
			case ok && other == where:
				c.errorAt(ix.Pos, "%s has this index already; remove one of them, or say name: on both", where)
			case ok:
				c.errorAt(ix.Pos, "the indexes of %s and %s are both called %s; say name: on one, or remove it", other, where, ix.Name)
			}
			indexes[key] = where
		}
	}
}

// described is the type's name, or for a join table of ours what it joins.
func (t *Type) described() string {
	if !t.Owned {
		return t.Name
	}
	var sides []string
	for _, f := range t.Fields {
		if f.IsLink() {
			sides = append(sides, f.Link.Target.Name)
		}
	}
	return "the join table of " + strings.Join(sides, " and ")
}
