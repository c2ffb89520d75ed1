package schema

// SameType is whether every value that the column holds can stand in the other one, too, as
// far as types go; validators of the other may still refuse it.
func (f *Field) SameType(other *Field) bool {
	return !f.IsLink() && !other.IsLink() &&
		f.Scalar == other.Scalar && f.Enum == other.Enum && f.Value == other.Value &&
		f.List == other.List && (other.ElemNull || !f.ElemNull) &&
		f.HoldsInteger() == other.HoldsInteger() &&
		f.Precision == other.Precision && f.Scale == other.Scale
}
