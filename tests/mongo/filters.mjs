// The query language of MongoDB: filters, $jsonSchema and update operators, by its documentation:
// https://www.mongodb.com/docs/manual/reference/operator/query/
import { Double, Int32 } from 'bson';
import { Failure, add, clone, compare, equal, float, int, isNullish, isNumber, isObject, kind, multiply, rankOf, whole } from './values.mjs';
import { compile, regex, truthy } from './expressions.mjs';

// reached are the values that a path leads to, as a filter sees them: each element of an array,
// and the array itself.
export function reached(doc, path) {
  const out = [];
  (function walk(v, i) {
    if (i === path.length) { out.push(v); if (Array.isArray(v)) out.push(...v); return; }
    if (Array.isArray(v)) {
      if (/^\d+$/.test(path[i]) && Number(path[i]) < v.length) walk(v[Number(path[i])], i + 1);
      for (const e of v) if (isObject(e)) walk(Object.hasOwn(e, path[i]) ? e[path[i]] : undefined, i + 1);
      return;
    }
    walk(isObject(v) && Object.hasOwn(v, path[i]) ? v[path[i]] : undefined, i + 1);
  })(doc, 0);
  return out;
}
const plain = (v) => (v === undefined ? null : v); // for filters a missing field equals null
const same = (a, b) => equal(plain(a), plain(b));
const bracket = (a, b) => rankOf(plain(a)) === rankOf(plain(b)); // comparison is within one type

// filter is a function of a document and the context of expressions.
export function filter(f) {
  if (!isObject(f)) throw new Failure(2, 'BadValue', 'a filter must be an object');
  const all = Object.keys(f).map((k) => (k.startsWith('$') ? top(k, f[k]) : field(k, f[k])));
  return (d, x) => all.every((t) => t(d, x));
}
function top(k, v) {
  if (k === '$and' || k === '$or' || k === '$nor') {
    if (!Array.isArray(v) || !v.length) throw new Failure(2, 'BadValue', k + ' must be a nonempty array');
    const fs = v.map(filter);
    if (k === '$and') return (d, x) => fs.every((t) => t(d, x));
    return (d, x) => fs.some((t) => t(d, x)) === (k === '$or');
  }
  if (k === '$expr') { const e = compile(v); return (d, x) => truthy(e({ ...x, root: d })); }
  if (k === '$jsonSchema') return (d) => broken(v, d) === null;
  if (k === '$comment') return () => true;
  throw new Failure(2, 'BadValue', 'unknown top level operator: ' + k);
}
function field(k, v) {
  const path = k.split('.');
  if (kind(v) === 'regex') return operator('$regex', v, path, {});
  if (!isObject(v) || !Object.keys(v)[0]?.startsWith('$')) return operator('$eq', v, path, {});
  const tests = Object.keys(v).filter((op) => op !== '$options').map((op) => operator(op, v[op], path, v));
  return (d, x) => tests.every((t) => t(d, x));
}
const any = (path, test) => (d) => reached(d, path).some(test);
function operator(op, v, path, beside) {
  switch (op) {
    case '$eq': return any(path, (e) => same(e, v));
    case '$ne': { const eq = any(path, (e) => same(e, v)); return (d) => !eq(d); }
    case '$gt': return any(path, (e) => bracket(e, v) && !isNullish(v) && compare(e, v) > 0);
    case '$gte': return any(path, (e) => bracket(e, v) && compare(plain(e), plain(v)) >= 0);
    case '$lt': return any(path, (e) => bracket(e, v) && !isNullish(v) && compare(e, v) < 0);
    case '$lte': return any(path, (e) => bracket(e, v) && compare(plain(e), plain(v)) <= 0);
    case '$in': case '$nin': {
      if (!Array.isArray(v)) throw new Failure(2, 'BadValue', op + ' needs an array');
      const hit = any(path, (e) => v.some((w) => (kind(w) === 'regex' ? typeof e === 'string' && regex(w, '').test(e) : same(e, w))));
      return (d) => hit(d) === (op === '$in');
    }
    case '$exists': return (d) => reached(d, path).some((e) => e !== undefined) === truthy(v);
    case '$type': {
      const names = [].concat(v).map((t) => (isNumber(t) ? { 1: 'double', 2: 'string', 3: 'object', 4: 'array', 5: 'binData', 7: 'objectId', 8: 'bool', 9: 'date', 10: 'null', 11: 'regex', 16: 'int', 17: 'timestamp', 18: 'long', 19: 'decimal' }[whole(t)] : t));
      return any(path, (e) => names.includes(kind(e)) || (names.includes('number') && isNumber(e)));
    }
    case '$not': { const t = kind(v) === 'regex' ? operator('$regex', v, path, {}) : field(path.join('.'), v); return (d, x) => !t(d, x); }
    case '$regex': { const r = regex(v, beside.$options ?? ''); return any(path, (e) => typeof e === 'string' && r.test(e)); }
    case '$size': return (d) => reached(d, path).some((e) => Array.isArray(e) && e.length === whole(v));
    case '$all': return (d) => v.every((w) => reached(d, path).some((e) => same(e, w)));
    case '$mod': return any(path, (e) => isNumber(e) && Math.trunc(float(e)) % whole(v[0]) === whole(v[1]));
    case '$elemMatch': {
      const inner = Object.keys(v)[0]?.startsWith('$') && !['$and', '$or', '$nor', '$expr'].includes(Object.keys(v)[0]) ? ((t) => (e, x) => t({ v: e }, x))(field('v', v)) : filter(v);
      return (d, x) => reached(d, path).some((a) => Array.isArray(a) && a.some((e) => inner(e, x)));
    }
  }
  throw new Failure(2, 'BadValue', 'unknown operator: ' + op);
}

// broken is what of a $jsonSchema a value breaks, as errInfo shows it, or null:
// https://www.mongodb.com/docs/manual/core/schema-validation/use-json-schema-query-conditions/
export function broken(s, v) {
  const rules = [];
  const types = s.bsonType === undefined ? [] : [].concat(s.bsonType);
  if (types.length && v !== undefined && !types.some((t) => t === kind(v) || (t === 'number' && isNumber(v)))) rules.push({ operatorName: 'bsonType', specifiedAs: { bsonType: s.bsonType }, reason: 'type did not match', consideredValue: v, consideredType: kind(v) });
  if (s.enum && !s.enum.some((e) => equal(e, v))) rules.push({ operatorName: 'enum', specifiedAs: { enum: s.enum }, reason: 'value was not found in enum', consideredValue: v });
  for (const [op, bad] of [['minimum', (n) => compare(v, n) < 0], ['maximum', (n) => compare(v, n) > 0]]) if (s[op] !== undefined && isNumber(v) && bad(s[op])) rules.push({ operatorName: op, specifiedAs: { [op]: s[op] }, reason: 'comparison failed', consideredValue: v });
  if (s.maxLength !== undefined && typeof v === 'string' && [...v].length > whole(s.maxLength)) rules.push({ operatorName: 'maxLength', specifiedAs: { maxLength: s.maxLength }, reason: 'specified string length was not satisfied', consideredValue: v });
  if (s.pattern !== undefined && typeof v === 'string' && !regex(s.pattern, '').test(v)) rules.push({ operatorName: 'pattern', specifiedAs: { pattern: s.pattern }, reason: 'regular expression did not match', consideredValue: v });
  if (s.items && Array.isArray(v)) { const i = v.findIndex((e) => broken(s.items, e)); if (i >= 0) rules.push({ operatorName: 'items', reason: 'At least one item did not match the sub-schema', itemIndex: new Int32(i), details: broken(s.items, v[i]) }); }
  if (isObject(v)) {
    const props = [];
    for (const [k, p] of Object.entries(s.properties ?? {})) if (Object.hasOwn(v, k)) { const b = broken(p, v[k]); if (b) props.push({ propertyName: k, details: b }); }
    if (props.length) rules.push({ operatorName: 'properties', propertiesNotSatisfied: props });
    const missing = (s.required ?? []).filter((k) => !Object.hasOwn(v, k) || v[k] === undefined);
    if (missing.length) rules.push({ operatorName: 'required', specifiedAs: { required: s.required }, missingProperties: missing });
    if (s.additionalProperties === false) { const more = Object.keys(v).filter((k) => !(k in (s.properties ?? {}))); if (more.length) rules.push({ operatorName: 'additionalProperties', specifiedAs: { additionalProperties: false }, additionalProperties: more }); }
  }
  return rules.length ? rules : null;
}

// change applies update operators: https://www.mongodb.com/docs/manual/reference/operator/update/
export function change(doc, u, inserting, now) {
  const d = clone(doc);
  for (const op of Object.keys(u)) {
    const f = updates[op];
    if (!f) throw new Failure(9, 'FailedToParse', 'Unknown modifier: ' + op);
    if (op === '$setOnInsert' && !inserting) continue;
    for (const k of Object.keys(u[op])) f(d, k.split('.'), u[op][k], now);
  }
  return d;
}
function parent(d, path, make) {
  for (const p of path.slice(0, -1)) {
    if (d[p] === undefined) { if (!make) return undefined; d[p] = {}; }
    d = d[p];
    if (!isObject(d) && !Array.isArray(d)) { if (!make) return undefined; throw new Failure(28, 'PathNotViable', 'Cannot create field in element'); }
  }
  return d;
}
const put = (d, path, f) => { const p = parent(d, path, true), k = path.at(-1); p[k] = f(p[k]); };
const number = (v) => { if (!isNumber(v)) throw new Failure(14, 'TypeMismatch', 'Cannot apply to a value of non-numeric type'); return v; };
const array = (v) => { if (v !== undefined && !Array.isArray(v)) throw new Failure(2, 'BadValue', 'The field must be an array but is of type ' + kind(v)); return v ?? []; };
const updates = {
  $set: (d, p, v) => put(d, p, () => v),
  $setOnInsert: (d, p, v) => put(d, p, () => v),
  $unset: (d, p) => { const q = parent(d, p); if (q) delete q[p.at(-1)]; },
  $inc: (d, p, v) => put(d, p, (o) => (o === undefined ? number(v) : add([number(o), number(v)]))),
  $mul: (d, p, v) => put(d, p, (o) => (o === undefined ? multiply([int(0), v]) : multiply([number(o), v]))),
  $min: (d, p, v) => put(d, p, (o) => (o === undefined || compare(v, o) < 0 ? v : o)),
  $max: (d, p, v) => put(d, p, (o) => (o === undefined || compare(v, o) > 0 ? v : o)),
  $currentDate: (d, p, v, now) => put(d, p, () => now),
  $rename: (d, p, to) => { const q = parent(d, p), k = p.at(-1); if (!q || !Object.hasOwn(q, k)) return; const v = q[k]; delete q[k]; put(d, to.split('.'), () => v); },
  $push: (d, p, v) => put(d, p, (o) => [...array(o), ...(isObject(v) && v.$each ? v.$each : [v])]),
  $addToSet: (d, p, v) => put(d, p, (o) => (isObject(v) && v.$each ? v.$each : [v]).reduce((l, e) => (l.some((f) => equal(e, f)) ? l : [...l, e]), array(o))),
  $pull: (d, p, v) => { const q = parent(d, p), k = p.at(-1); if (q?.[k] !== undefined) q[k] = array(q[k]).filter((e) => (isObject(v) ? !(isObject(e) ? filter(v)(e, {}) : field('v', v)({ v: e })) : !same(e, v))); },
  $pullAll: (d, p, vs) => { const q = parent(d, p), k = p.at(-1); if (q?.[k] !== undefined) q[k] = array(q[k]).filter((e) => !vs.some((v) => same(e, v))); },
};
export { Double };
