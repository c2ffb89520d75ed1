package stories

import (
	"fmt"
	"testing"

	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

const atlas = `
type Country @table(db: "a") @auth(read: "true", create: "true") { id: ID! @primary  name: String  cities: [City!]! @link }
type City @table(db: "b") @auth(read: "true", create: "true") { id: ID! @primary  name: String  country: Country @link  people: [Resident!]! @link }
type Resident @table(db: "c") @auth(read: "true", create: "true") { id: ID! @primary  name: String  city: City @link  pets: [Pet!]! @link  clubs: [Club!]! @link }
type Pet @table(db: "d") @auth(read: "true", create: "true") { id: ID! @primary  name: String  owner: Resident @link(from: "ownerId", to: "id")  ownerId: ID }
type Club @table(db: "a") @auth(read: "true", create: "true", update: "true") { id: ID! @primary  name: String  residents: [Resident!]! @link }
`

// A query takes as many statements as it has levels, wherever they are and however many rows there are.
func TestStatementsOfLevelsInFourDatabases(t *testing.T) {
	served.EachAndMixed(t, statementsOfLevelsInFourDatabases)
}

func statementsOfLevelsInFourDatabases(t *testing.T, on served.Kind) {
	server, counts := counted(t, on, atlas, resolvers.Config{})
	for from, rows := 0, 3; rows <= 60; from, rows = from+rows, rows*20 {
		id := func(format string) string { return fmt.Sprintf(format, fmt.Sprintf("%d_%%[1]d", from)) }
		told(t, server, fmt.Sprintf(`mutation {
			insertCountries(docs: [%s]) { affected }
			insertCities(docs: [%s]) { affected }
			insertResidents(docs: [%s]) { affected }
			insertPets(docs: [%s]) { affected }
			insertClub(doc: {id: "c%d", residents: {connect: [{id: "r%[5]d_0"}, {id: "r%[5]d_1"}]}}) { id }
		}`, rowsOf(rows, id(`id: "k%s"`)), rowsOf(rows, id(`id: "c%[1]s", countryId: "k%[1]s"`)),
			rowsOf(rows, id(`id: "r%[1]s", cityId: "c%[1]s"`)), rowsOf(rows, id(`id: "p%[1]s", ownerId: "r%[1]s"`)), from))
		for _, test := range []struct {
			request string
			want    [4]int // statements in a, b, c, d
		}{
			{`{ countries { cities(limit: 2) { people(limit: 2) { pets(limit: 2) { name } } } } }`, [4]int{1, 1, 1, 1}},
			{`{ pets { owner { city { country { name } } } } }`, [4]int{1, 1, 1, 1}},
			{`{ countries { cities(limit: 2) { people(limit: 2) { pets(limit: 2) { owner { city { id } } } } } } }`, [4]int{1, 2, 2, 1}},
			{`{ countriesConnection { totalCount nodes { citiesConnection(first: 1) { totalCount nodes { peopleAggregate { count } } } } } pets { id } }`, [4]int{2, 2, 1, 1}},
			{`{ clubs { residents { pets { name } city { name } } } }`, [4]int{2, 1, 1, 1}},
			{`{ cities { people(limit: 2) { clubs(limit: 2) { name } clubsAggregate { count } } } }`, [4]int{2, 1, 1, 0}},
			{`{ pets(where: {owner: {city: {country: {id: {_gt: ""}}}}}) { name } }`, [4]int{1, 1, 1, 1}},
		} {
			reset(counts)
			told(t, server, test.request)
			for i, name := range []string{"a", "b", "c", "d"} {
				if got := counts[name].Counts().Finds; got != test.want[i] {
					t.Errorf("%d rows: %s: %d statements in %s, want %d", rows, test.request, got, name, test.want[i])
				}
			}
		}
	}
}
