// Package drivertest is the promise that all drivers of databases keep: one suite, which
// every driver's own test runs. What the suite compares with is query.Holds.
package drivertest

import (
	"testing"

	"spacecloud/database/driver"
	"spacecloud/schema"
)

// Harness is how a driver's test lets the suite at a database.
type Harness struct {
	// Open opens an empty database, and closes it when the test ends.
	Open func(t testing.TB) driver.Driver
	// Create makes the tables and views of types.
	Create func(t testing.TB, d driver.Driver, types []*schema.Type)
}

// Run holds a driver to the promise.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name  string
		run   func(*testing.T, *bench)
		needs func(driver.Features) bool // nil for nothing
	}{
		{"ValuesComeBack", valuesComeBack, nil},
		{"ListsComeBack", listsComeBack, nil},
		{"OperatorsAndScalars", operatorsAndScalars, nil},
		{"TextOperators", textOperators, nil},
		{"ListsAsOperands", listsAsOperands, nil},
		{"KeysAsOperands", keysAsOperands, nil},
		{"FloatsInLists", floatsInLists, nil},
		{"LinkedConditions", linkedConditions, nil},
		{"JoinRows", joinRows, nil},
		{"ListConditions", listConditions, nil},
		{"JSONConditions", jsonConditions, nil},
		{"EmbeddedConditions", embeddedConditions, nil},
		{"Search", search, func(f driver.Features) bool { return f.Search }},
		{"Distinct", distinct, nil},
		{"DistinctOfEachParent", distinctOfEachParent, nil},
		{"Order", order, nil},
		{"Pages", pages, nil},
		{"HiddenCells", hiddenCells, nil},
		{"Links", links, nil},
		{"PagesOfEachParent", pagesOfEachParent, nil},
		{"Counts", counts, nil},
		{"Keysets", keysets, nil},
		{"CellsBehindLinks", cellsBehindLinks, nil},
		{"KeysOfEveryKind", keysOfEveryKind, nil},
		{"Views", views, nil},
		{"Inserts", inserts, nil},
		{"GeneratedKeys", generatedKeys, nil},
		{"Updates", updates, nil},
		{"UpdatesOfNull", updatesOfNull, nil},
		{"Overflow", overflow, nil},
		{"ListOperators", listOperators, nil},
		{"UpdatesByRows", updatesByRows, nil},
		{"ByKeys", byKeys, nil},
		{"Deletes", deletes, nil},
		{"UniqueNamesTheFields", uniqueNamesTheFields, nil},
		{"OtherConstraints", otherConstraints, nil},
		{"ForeignKeys", foreignKeys, func(f driver.Features) bool { return f.ForeignKeys }},
		{"Alone", alone, nil},
		{"Returning", returning, func(f driver.Features) bool { return f.Returning }},
		{"RollbackLeavesNothing", rollbackLeavesNothing, transactions},
		{"TxSeesItsOwnWrites", txSeesItsOwnWrites, transactions},
		{"ViewSeesOneState", viewSeesOneState, transactions},
		{"NothingIsLost", nothingIsLost, nil},
		{"CancelledContexts", cancelledContexts, nil},
		{"PanicsReleaseConnections", panicsReleaseConnections, nil},
		{"RandomConditions", randomConditions, nil},
		{"Measures", measures, nil},
		{"GroupsOfRows", groupsOfRows, nil},
		{"GroupsOfEachParent", groupsOfEachParent, nil},
		{"ExactTotals", exactTotals, nil},
		{"TotalsBeyond", totalsBeyond, nil},
		{"RandomGroups", randomGroups, nil},
		{"RandomSchemas", randomSchemas, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, h)
			if test.needs != nil && !test.needs(b.driver.Features()) {
				t.Skipf("%s does not have what this needs", b.driver.Product())
			}
			test.run(t, b)
		})
	}
}

func transactions(f driver.Features) bool { return f.Transactions }
