package rules

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"spacecloud/schema"
)

// requestType is the CEL type of the variable "request". No GraphQL type has a dot.
const requestType = "spacecloud.request"

// rowsOf is the CEL variable that stands for all rows of a type, inside exists(Type, …).
// A rule cannot spell it.
const rowsOf = "@rows:"

const noTable = "no table or view is called "

// newEnv is what every rule is parsed and checked in; the type of "doc" is still open.
func newEnv(s *schema.Schema) (*cel.Env, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := newProvider(registry, s)
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p),
		cel.CustomTypeAdapter(registry),
		cel.Variable("auth", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("request", cel.ObjectType(requestType)),
		cel.Variable("now", cel.TimestampType),
		cel.Macros(existsMacro(s)),
		cel.CrossTypeNumericComparisons(true),
		cel.EnableMacroCallTracking(),
		cel.ParserExpressionSizeLimit(mostCharacters),
		cel.ParserRecursionLimit(mostNested),
		strictFunctions(),
		callFunction(),
	}
	for _, t := range s.Types {
		options = append(options, cel.Variable(rowsOf+t.Name, cel.ListType(cel.ObjectType(t.Name))))
	}
	return cel.NewEnv(options...)
}

// provider tells CEL the types of a schema.
type provider struct {
	types.Provider
	fields map[string]map[string]*types.FieldType
}

func newProvider(base types.Provider, s *schema.Schema) provider {
	p := provider{base, map[string]map[string]*types.FieldType{
		requestType: {
			"ip":      {Type: cel.StringType},
			"method":  {Type: cel.StringType},
			"headers": {Type: cel.MapType(cel.StringType, cel.StringType)},
		},
	}}
	for _, t := range s.Types {
		fields := make(map[string]*types.FieldType, len(t.Fields))
		for _, f := range t.Fields {
			fields[f.Name] = &types.FieldType{Type: celType(f)}
		}
		p.fields[t.Name] = fields
	}
	return p
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.fields[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := p.fields[name]; ok {
		f, ok := fields[field]
		return f, ok
	}
	return p.Provider.FindStructFieldType(name, field)
}

// celType is what CEL takes a field for. Every column may be null, because the link that led
// to it may be. Where CEL is stricter with numbers than people are (1 is no double), or has
// no such type, the column is dynamic: the translation coerces what it is compared with.
func celType(f *schema.Field) *types.Type {
	if f.IsLink() {
		target := types.NewObjectType(f.Link.Target.Name)
		if f.Link.Many {
			return types.NewListType(target)
		}
		return target
	}
	if f.List {
		return types.DynType
	}
	switch f.Scalar {
	case schema.ID, schema.String, schema.Date, schema.Time, schema.UUID, schema.EnumValue:
		return types.NewNullableType(types.StringType)
	case schema.Int, schema.BigInt:
		return types.NewNullableType(types.IntType)
	case schema.Boolean:
		return types.NewNullableType(types.BoolType)
	case schema.DateTime:
		return types.TimestampType
	}
	return types.DynType
}

// existsMacro makes exists(Type, m, condition) what list.exists(m, condition) is, over the
// rows of the type.
func existsMacro(s *schema.Schema) cel.Macro {
	return cel.GlobalMacro("exists", 3, func(h parser.ExprHelper, _ celast.Expr, args []celast.Expr) (celast.Expr, *common.Error) {
		first := args[0]
		if first.Kind() != celast.IdentKind {
			return nil, h.NewError(first.ID(), `the first argument of exists is the name of a type: exists(Membership, m, m.userId == auth.id)`)
		}
		t := s.Type(first.AsIdent())
		if t == nil || t.Kind == schema.Embed || t.Owned {
			return nil, h.NewError(first.ID(), noTable+first.AsIdent())
		}
		return parser.MakeExists(h, h.NewIdent(rowsOf+t.Name), args[1:])
	})
}
