// The expressions of MongoDB's aggregation, by its documentation:
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/
import { Binary, Failure, ObjectId, add, clone, compare, compareNumbers, decimal, divide, double, equal, exact, float, int, isNullish, isNumber, isObject, keyOf, kind, long, multiply, negate, place, toInteger, whole } from './values.mjs';

// Deadline ends what takes too long, as maxTimeMS asks.
export class Deadline {
  constructor(ms) { this.end = ms ? Date.now() + ms : Infinity; this.n = 0; }
  check() { if ((++this.n & 255) === 0 && Date.now() > this.end) throw new Failure(50, 'MaxTimeMSExpired', 'operation exceeded time limit'); }
}

export const truthy = (v) => !(v === undefined || v === null || v === false || (isNumber(v) && float(v) === 0));

// at is what a dotted path leads to in an expression: through arrays it gives arrays.
export function at(v, path) {
  for (let i = 0; i < path.length; i++) {
    if (Array.isArray(v)) return v.map((e) => (Array.isArray(e) || isObject(e) ? at(e, path.slice(i)) : undefined)).filter((e) => e !== undefined);
    if (!isObject(v)) return undefined;
    v = Object.hasOwn(v, path[i]) ? v[path[i]] : undefined;
  }
  return v;
}

const REMOVE = { remove: true };

// compile is a function of the root document and the variables; it fails on what is unknown,
// as the server does when it parses.
export function compile(e) {
  if (typeof e === 'string' && e.startsWith('$$')) return variable(e.slice(2));
  if (typeof e === 'string' && e.startsWith('$')) {
    const path = pathOf(e.slice(1));
    return (x) => at(x.root, path);
  }
  if (Array.isArray(e)) { const all = e.map(compile); return (x) => all.map((f) => f(x) ?? null); }
  if (!isObject(e)) return () => e;
  const keys = Object.keys(e);
  if (keys[0]?.startsWith('$')) {
    if (keys.length > 1) throw new Failure(15983, 'Location15983', 'An object representing an expression must have exactly one field: ' + keys);
    const op = operators[keys[0]];
    if (!op) throw new Failure(168, 'InvalidPipelineOperator', 'Unrecognized expression ' + keys[0]);
    return op(e[keys[0]]);
  }
  const fields = keys.map((k) => [fieldName(k), compile(e[k])]);
  return (x) => { const out = {}; for (const [k, f] of fields) { const v = f(x); if (v !== undefined) out[k] = v; } return out; };
}
function fieldName(k) {
  if (k === '' || k.includes('.')) throw new Failure(16412, 'Location16412', 'FieldPath field names may not contain a dot or be empty: ' + k);
  return k;
}
function pathOf(text) {
  const path = text.split('.');
  for (const p of path) {
    if (p === '') throw new Failure(15998, 'Location15998', 'FieldPath field names may not be empty strings.');
    if (p.startsWith('$')) throw new Failure(16410, 'Location16410', "FieldPath field names may not start with '$': " + text);
  }
  return path;
}
function variable(text) {
  const [name, ...path] = pathOf(text);
  switch (name) {
    case 'ROOT': case 'CURRENT': return (x) => at(x.root, path);
    case 'REMOVE': return () => undefined;
    case 'NOW': return (x) => x.now;
  }
  if (!/^[a-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*$/.test(name)) throw new Failure(16867, 'FailedToParse', `'${name}' starts with an invalid character for a user variable name`);
  return (x) => {
    if (!(name in x.vars)) throw new Failure(17276, 'Location17276', 'Use of undefined variable: ' + name);
    return at(x.vars[name], path);
  };
}
const scope = (x, more) => ({ ...x, vars: { ...x.vars, ...more } });

// args are the operands of an operator: a list, or one that stands for itself.
const args = (a, n, name) => {
  const list = Array.isArray(a) ? a : [a];
  if (n !== undefined && list.length !== n) throw new Failure(16020, 'Location16020', `Expression ${name} takes exactly ${n} arguments. ${list.length} were passed in.`);
  return list.map(compile);
};
const unary = (name, f) => (a) => { const [g] = args(a, 1, name); return (x) => f(g(x), x); };
const binary = (name, f) => (a) => { const [g, h] = args(a, 2, name); return (x) => f(g(x), h(x)); };
const nary = (f) => (a) => { const gs = args(a); return (x) => f(gs.map((g) => g(x))); };
const named = (name, a, fields) => {
  if (!isObject(a)) throw new Failure(9, 'FailedToParse', name + ' only supports an object as its argument');
  for (const k of Object.keys(a)) if (!(k in fields)) throw new Failure(9, 'FailedToParse', `Unrecognized argument to ${name}: ${k}`);
  for (const k in fields) if (fields[k] && !(k in a)) throw new Failure(9, 'FailedToParse', `Missing '${k}' parameter to ${name}`);
};
const numeric = (name, vs) => {
  if (vs.some(isNullish)) return false;
  for (const v of vs) if (!isNumber(v)) throw new Failure(14, 'TypeMismatch', `${name} only supports numeric types, not ${kind(v)}`);
  return true;
};
const needsList = { $filter: 28651, $concatArrays: 28664 };
const list = (name, v) => { if (!Array.isArray(v)) { const code = needsList[name] ?? 28689; throw new Failure(code, 'Location' + code, `${name} needs an array, not ${kind(v)}`); } return v; };
const string = (name, v) => { if (typeof v !== 'string') throw new Failure(40093, 'Location40093', `${name} requires a string, found: ${kind(v)}`); return v; };
const index = (name, v) => { if (!isNumber(v)) throw new Failure(40096, 'Location40096', `${name} requires an integral index, found: ${kind(v)}`); const n = whole(v); if (!Number.isInteger(n) || n < 0) throw new Failure(40097, 'Location40097', `${name} requires a nonnegative index, found: ${n}`); return n; };
const points = (s) => [...s];

const operators = {
  $literal: (a) => () => a,
  $and: (a) => { const gs = args(a); return (x) => gs.every((g) => truthy(g(x))); },
  $or: (a) => { const gs = args(a); return (x) => gs.some((g) => truthy(g(x))); },
  $not: unary('$not', (v) => !truthy(v)),
  $eq: binary('$eq', (a, b) => compare(a, b) === 0),
  $ne: binary('$ne', (a, b) => compare(a, b) !== 0),
  $gt: binary('$gt', (a, b) => compare(a, b) > 0),
  $gte: binary('$gte', (a, b) => compare(a, b) >= 0),
  $lt: binary('$lt', (a, b) => compare(a, b) < 0),
  $lte: binary('$lte', (a, b) => compare(a, b) <= 0),
  $cmp: binary('$cmp', (a, b) => int(compare(a, b))),
  $in: binary('$in', (v, vs) => { if (!Array.isArray(vs)) throw new Failure(40081, 'Location40081', '$in requires an array as a second argument, found: ' + kind(vs)); return vs.some((e) => equal(e, v)); }),
  $cond(a) {
    if (!Array.isArray(a)) { named('$cond', a, { if: true, then: true, else: true }); a = [a.if, a.then, a.else]; }
    const [c, t, f] = args(a, 3, '$cond');
    return (x) => (truthy(c(x)) ? t(x) : f(x));
  },
  $ifNull: (a) => { const gs = args(a); if (gs.length < 2) throw new Failure(1257300, 'Location1257300', '$ifNull needs at least two arguments'); return (x) => { let v; for (const g of gs) { v = g(x); if (!isNullish(v)) break; } return v; }; },
  $switch(a) {
    const branches = a.branches.map((b) => [compile(b.case), compile(b.then)]), other = 'default' in a ? compile(a.default) : undefined;
    return (x) => { for (const [c, t] of branches) if (truthy(c(x))) return t(x); if (!other) throw new Failure(40066, 'Location40066', '$switch could not find a matching branch'); return other(x); };
  },
  $let(a) {
    named('$let', a, { vars: true, in: true });
    const vars = Object.entries(a.vars).map(([k, e]) => [k, compile(e)]), body = compile(a.in);
    return (x) => { const more = {}; for (const [k, f] of vars) more[k] = f(x); return body(scope(x, more)); };
  },
  // "If one of the arguments is a date, $add treats the other arguments as milliseconds to add to the date":
  // https://www.mongodb.com/docs/manual/reference/operator/aggregation/add/
  $add: nary((vs) => {
    const dates = vs.filter((v) => v instanceof Date), rest = vs.filter((v) => !(v instanceof Date));
    if (dates.length > 1) throw new Failure(16612, 'Location16612', 'only one date allowed in an $add expression');
    if (!numeric('$add', rest)) return null;
    return dates.length ? new Date(dates[0].getTime() + whole(add([int(0), ...rest]))) : add(vs);
  }),
  $subtract: binary('$subtract', (a, b) => (numeric('$subtract', [a, b]) ? add([a, negate(b)]) : null)),
  $multiply: nary((vs) => (numeric('$multiply', vs) ? multiply(vs) : null)),
  $divide: binary('$divide', (a, b) => (numeric('$divide', [a, b]) ? divide(a, b) : null)),
  $mod: binary('$mod', (a, b) => { if (!numeric('$mod', [a, b])) return null; return kind(a) === 'double' || kind(b) === 'double' ? double(float(a) % float(b)) : long(BigInt(whole(a)) % BigInt(whole(b))); }),
  $abs: unary('$abs', (v) => (numeric('$abs', [v]) ? (compareNumbers(v, int(0)) < 0 ? negate(v) : v) : null)),
  $trunc: (a) => { const [g, p] = args(a); return (x) => { const v = g(x); return numeric('$trunc', [v]) ? place(v, p ? whole(p(x)) : 0, false) : null; }; },
  $round: (a) => { const [g, p] = args(a); return (x) => { const v = g(x); return numeric('$round', [v]) ? place(v, p ? whole(p(x)) : 0, true) : null; }; },
  $isNumber: unary('$isNumber', (v) => isNumber(v)),
  $isArray: unary('$isArray', (v) => Array.isArray(v)),
  $type: unary('$type', (v) => kind(v)),
  $toInt: unary('$toInt', (v) => (isNullish(v) ? null : toInteger(v, 32))),
  $toLong: unary('$toLong', (v) => (isNullish(v) ? null : toInteger(v, 64))),
  $toDouble: unary('$toDouble', (v) => (isNullish(v) ? null : toDouble(v))),
  $toDecimal: unary('$toDecimal', (v) => (isNullish(v) ? null : toDecimal(v))),
  $toString: unary('$toString', (v) => (isNullish(v) ? null : toText(v))),
  $toBool: unary('$toBool', (v) => (isNullish(v) ? null : isNumber(v) ? float(v) !== 0 : v !== false)),
  $toDate: unary('$toDate', (v) => (isNullish(v) ? null : toDate(v))),
  $toObjectId: unary('$toObjectId', (v) => (isNullish(v) ? null : toObjectId(v))),
  $convert(a) {
    named('$convert', a, { input: true, to: true, onError: false, onNull: false, format: false });
    const g = compile(a.input), to = String(a.to?.to ?? a.to), onError = 'onError' in a ? compile(a.onError) : undefined, onNull = 'onNull' in a ? compile(a.onNull) : () => null;
    const f = { int: (v) => toInteger(v, 32), long: (v) => toInteger(v, 64), double: toDouble, decimal: toDecimal, string: toText, bool: (v) => (isNumber(v) ? float(v) !== 0 : v !== false), date: toDate, objectId: toObjectId }[to];
    if (!f) throw new Failure(2, 'BadValue', 'not here: $convert to ' + to);
    return (x) => {
      const v = g(x);
      if (isNullish(v)) return onNull(x);
      try { return f(v); } catch (err) { if (onError && err instanceof Failure) return onError(x); throw err; }
    };
  },
  // https://www.mongodb.com/docs/manual/reference/operator/aggregation/dateToString/
  $dateToString(a) {
    named('$dateToString', a, { date: true, format: false, timezone: false, onNull: false });
    const g = compile(a.date), format = a.format ?? '%Y-%m-%dT%H:%M:%S.%LZ', none = 'onNull' in a ? compile(a.onNull) : () => null;
    if ((a.timezone ?? 'UTC') !== 'UTC') throw new Failure(2, 'BadValue', 'not here: a timezone besides UTC');
    return (x) => {
      const d = g(x);
      if (isNullish(d)) return none(x);
      if (!(d instanceof Date)) throw new Failure(16006, 'Location16006', "can't convert from BSON type " + kind(d) + ' to Date');
      const [, year, month, day, hour, minute, second, ms] = /^(.+)-(..)-(..)T(..):(..):(..)\.(...)Z$/.exec(d.toISOString());
      return format.replace(/%(.)/g, (_, c) => ({ Y: year, m: month, d: day, H: hour, M: minute, S: second, L: ms, '%': '%' })[c] ?? (() => { throw new Failure(18536, 'Location18536', "Invalid format character '%" + c + "' in format string"); })());
    };
  },
  $concat: nary((vs) => (vs.some(isNullish) ? null : vs.map((v) => string('$concat', v)).join(''))),
  $concatArrays: nary((vs) => (vs.some(isNullish) ? null : vs.flatMap((v) => list('$concatArrays', v)))),
  $size: unary('$size', (v) => { if (!Array.isArray(v)) throw new Failure(17124, 'Location17124', 'The argument to $size must be an array, but was of type: ' + kind(v)); return int(v.length); }),
  $arrayElemAt: binary('$arrayElemAt', (v, i) => { if (isNullish(v) || isNullish(i)) return null; const n = whole(i); return list('$arrayElemAt', v).at(n); }),
  $first: unary('$first', (v) => (isNullish(v) ? null : list('$first', v)[0])),
  $last: unary('$last', (v) => (isNullish(v) ? null : list('$last', v).at(-1))),
  $slice: nary(([v, n, m]) => (isNullish(v) ? null : m === undefined ? (whole(n) < 0 ? v.slice(whole(n)) : v.slice(0, whole(n))) : v.slice(whole(n), whole(n) + whole(m)))),
  $reverseArray: unary('$reverseArray', (v) => (isNullish(v) ? null : list('$reverseArray', v).toReversed())),
  $range: nary(([a, b, s]) => { const out = [], step = s ? whole(s) : 1; for (let i = whole(a); step > 0 ? i < whole(b) : i > whole(b); i += step) out.push(int(i)); return out; }),
  $map(a) {
    named('$map', a, { input: true, as: false, in: true });
    const g = compile(a.input), body = compile(a.in), as = a.as ?? 'this';
    return (x) => { const v = g(x); return isNullish(v) ? null : list('$map', v).map((e) => { x.deadline.check(); return body(scope(x, { [as]: e })) ?? null; }); };
  },
  $filter(a) {
    named('$filter', a, { input: true, as: false, cond: true, limit: false });
    const g = compile(a.input), body = compile(a.cond), as = a.as ?? 'this';
    return (x) => { const v = g(x); return isNullish(v) ? null : list('$filter', v).filter((e) => truthy(body(scope(x, { [as]: e })))); };
  },
  $reduce(a) {
    named('$reduce', a, { input: true, initialValue: true, in: true });
    const g = compile(a.input), start = compile(a.initialValue), body = compile(a.in);
    return (x) => { const v = g(x); return isNullish(v) ? null : list('$reduce', v).reduce((value, e) => body(scope(x, { value, this: e })), start(x)); };
  },
  $anyElementTrue: (a) => { const [g] = args(a, 1, '$anyElementTrue'); return (x) => list('$anyElementTrue', g(x)).some(truthy); },
  $allElementsTrue: (a) => { const [g] = args(a, 1, '$allElementsTrue'); return (x) => list('$allElementsTrue', g(x)).every(truthy); },
  $setIntersection: nary((vs) => (vs.some(isNullish) ? null : vs.map((v) => list('$setIntersection', v)).reduce((a, b) => distinct(a.filter((e) => b.some((f) => equal(e, f))))))),
  $setUnion: nary((vs) => (vs.some(isNullish) ? null : distinct(vs.flatMap((v) => list('$setUnion', v))))),
  $setDifference: binary('$setDifference', (a, b) => (isNullish(a) || isNullish(b) ? null : distinct(list('$setDifference', a).filter((e) => !b.some((f) => equal(e, f)))))),
  $setIsSubset: binary('$setIsSubset', (a, b) => list('$setIsSubset', a).every((e) => list('$setIsSubset', b).some((f) => equal(e, f)))),
  $setEquals: nary(([a, b]) => a.every((e) => b.some((f) => equal(e, f))) && b.every((e) => a.some((f) => equal(e, f)))),
  $strLenBytes: unary('$strLenBytes', (v) => int(Buffer.byteLength(string('$strLenBytes', v)))),
  $strLenCP: unary('$strLenCP', (v) => int(points(string('$strLenCP', v)).length)),
  $indexOfBytes: nary(([s, part, from, to]) => {
    if (isNullish(s)) return null;
    const b = Buffer.from(string('$indexOfBytes', s)), p = Buffer.from(string('$indexOfBytes', part));
    const start = from === undefined ? 0 : index('$indexOfBytes', from), end = to === undefined ? b.length : Math.min(index('$indexOfBytes', to), b.length);
    if (start > end) return int(-1);
    const i = b.subarray(0, end).indexOf(p, start);
    return int(p.length === 0 ? start : i);
  }),
  $substrCP: nary(([s, from, n]) => (isNullish(s) ? '' : points(toText(s)).slice(index('$substrCP', from), index('$substrCP', from) + index('$substrCP', n)).join(''))),
  $substrBytes: nary(([s, from, n]) => {
    if (isNullish(s)) return '';
    const b = Buffer.from(toText(s)), start = whole(from), end = whole(n) < 0 ? b.length : Math.min(b.length, start + whole(n));
    const middle = (i) => i < b.length && (b[i] & 0xc0) === 0x80;
    if (middle(start) || middle(end)) throw new Failure(28656, 'Location28656', '$substrBytes: Invalid range, in the middle of a UTF-8 character.');
    return b.subarray(start, end).toString();
  }),
  $toLower: unary('$toLower', (v) => (isNullish(v) ? '' : toText(v).replace(/[A-Z]+/g, (s) => s.toLowerCase()))),
  $toUpper: unary('$toUpper', (v) => (isNullish(v) ? '' : toText(v).replace(/[a-z]+/g, (s) => s.toUpperCase()))),
  $split: binary('$split', (s, by) => (isNullish(s) ? null : s.split(by))),
  $replaceAll(a) {
    named('$replaceAll', a, { input: true, find: true, replacement: true });
    const [g, f, r] = [a.input, a.find, a.replacement].map(compile);
    return (x) => { const vs = [g(x), f(x), r(x)]; return vs.some(isNullish) ? null : vs[0].split(vs[1]).join(vs[2]); };
  },
  $regexMatch(a) {
    named('$regexMatch', a, { input: true, regex: true, options: false });
    const g = compile(a.input), r = compile(a.regex), o = 'options' in a ? compile(a.options) : () => '';
    return (x) => {
      const v = g(x), p = r(x);
      if (isNullish(v) || isNullish(p)) return false;
      string('$regexMatch', v);
      return regex(p, o(x) ?? '').test(v);
    };
  },
  $getField(a) {
    const [name, input] = isObject(a) && 'field' in a ? (named('$getField', a, { field: true, input: false }), [a.field, a.input ?? '$$CURRENT']) : [a, '$$CURRENT'];
    const constant = compile(name), g = compile(input);
    if (typeof name === 'string' && name.startsWith('$')) throw new Failure(5654600, 'Location5654600', "A field path reference which is not allowed in this context. Did you mean {$literal: '" + name + "'}?");
    return (x) => { const v = g(x), k = constant(x); if (v === null) return null; return isObject(v) && Object.hasOwn(v, k) ? v[k] : undefined; };
  },
  $objectToArray: unary('$objectToArray', (v) => { if (isNullish(v)) return null; if (!isObject(v)) throw new Failure(40390, 'Location40390', '$objectToArray requires a document input, found: ' + kind(v)); return Object.keys(v).filter((k) => v[k] !== undefined).map((k) => ({ k, v: v[k] })); }),
  $arrayToObject: unary('$arrayToObject', (v) => (isNullish(v) ? null : Object.fromEntries(v.map((e) => (Array.isArray(e) ? e : [e.k, e.v]))))),
  $mergeObjects: nary((vs) => Object.assign({}, ...vs.filter((v) => !isNullish(v)))),
  $max: (a) => { const g = Array.isArray(a) ? args(a) : [compile(a)]; return (x) => extreme(spread(g, x, Array.isArray(a)), 1); },
  $min: (a) => { const g = Array.isArray(a) ? args(a) : [compile(a)]; return (x) => extreme(spread(g, x, Array.isArray(a)), -1); },
  $sum: (a) => { const g = Array.isArray(a) ? args(a) : [compile(a)]; return (x) => sum(spread(g, x, Array.isArray(a))); },
  $avg: (a) => { const g = Array.isArray(a) ? args(a) : [compile(a)]; return (x) => avg(spread(g, x, Array.isArray(a))); },
  $binarySize: unary('$binarySize', (v) => (isNullish(v) ? null : int(typeof v === 'string' ? Buffer.byteLength(v) : v.length()))),
};
const spread = (gs, x, many) => { const vs = gs.map((g) => g(x)); return !many && Array.isArray(vs[0]) ? vs[0] : vs; };
const distinct = (vs) => { const seen = new Map(); for (const v of vs) if (!seen.has(keyOf(v))) seen.set(keyOf(v), v); return [...seen.values()]; };

// What accumulators share with the operators of their names: null and missing do not count.
export const extreme = (vs, sign) => vs.filter((v) => !isNullish(v)).reduce((m, v) => (m === null || compare(v, m) * sign > 0 ? v : m), null);
export const sum = (vs) => { const ns = vs.filter(isNumber); return ns.length ? add(ns) : int(0); };
export const avg = (vs) => { const ns = vs.filter(isNumber); if (!ns.length) return null; const s = add(ns); return kind(s) === 'decimal' ? divide(s, int(ns.length)) : double(float(s) / ns.length); };

const toDouble = (v) => { if (typeof v === 'string') { if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(v)) throw new Failure(241, 'ConversionFailure', `Failed to parse number '${v}' in $convert with no onError value`); return double(Number(v)); } return typeof v === 'boolean' ? double(Number(v)) : v instanceof Date ? double(v.getTime()) : double(float(v)); };
const toDecimal = (v) => {
  if (typeof v === 'boolean') return decimal({ c: v ? 1n : 0n, e: 0 });
  if (typeof v === 'string') { if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(v)) throw new Failure(241, 'ConversionFailure', `Failed to parse number '${v}' in $convert with no onError value`); return decimal(exact({ _bsontype: 'Decimal128', toString: () => v })); }
  if (v instanceof Date) return decimal({ c: BigInt(v.getTime()), e: 0 });
  return kind(v) === 'double' && Number.isFinite(v.value) ? decimal(exact({ _bsontype: 'Decimal128', toString: () => v.value.toPrecision(15) })) : decimal(exact(v));
};
function toText(v) {
  switch (kind(v)) {
    case 'string': return v;
    case 'int': case 'double': return String(v.value);
    case 'long': case 'decimal': return v.toString();
    case 'bool': return String(v);
    case 'date': return v.toISOString();
    case 'objectId': return v.toHexString();
  }
  throw new Failure(241, 'ConversionFailure', `Unsupported conversion from ${kind(v)} to string in $convert with no onError value`);
}
const toDate = (v) => { if (v instanceof Date) return v; const d = new Date(typeof v === 'string' ? v : whole(v)); if (Number.isNaN(d.getTime())) throw new Failure(241, 'ConversionFailure', `Error parsing date string '${v}'`); return d; };
const toObjectId = (v) => { if (kind(v) === 'objectId') return v; if (!/^[0-9a-f]{24}$/i.test(v)) throw new Failure(241, 'ConversionFailure', `Failed to parse objectId '${v}'`); return new ObjectId(v); };

// regex is a regular expression of PCRE2, as far as its syntax is translated here.
const patterns = new Map();
export function regex(p, options) {
  const source = typeof p === 'string' ? p : p.pattern, flags = options + (typeof p === 'string' ? '' : (p.options ?? ''));
  const key = flags + '/' + source;
  if (!patterns.has(key)) {
    if (source.includes('\0')) throw new Failure(51109, 'Location51109', '$regexMatch: regular expression cannot contain an embedded null byte');
    if (patterns.size > 1000) patterns.clear();
    let js;
    try { js = new RegExp(translate(source, flags.includes('m')), 'u' + [...'ims'].filter((f) => flags.includes(f)).join('')); } catch (e) { throw new Failure(51091, 'Location51091', 'Regular expression is invalid: ' + e.message); }
    patterns.set(key, js);
  }
  return patterns.get(key);
}
// Without the flag m, JavaScript's ^ and $ are PCRE's \A and \z.
function translate(p, lines) {
  let out = '';
  const quote = (c) => (/[\^$\\.*+?()[\]{}|/]/.test(c) ? '\\' + c : c);
  for (let i = 0; i < p.length; i++) {
    const rest = p.slice(i);
    let m;
    if (rest.startsWith('\\Q')) { const end = p.indexOf('\\E', i + 2); out += [...p.slice(i + 2, end < 0 ? undefined : end)].map(quote).join(''); i = end < 0 ? p.length : end + 1; }
    else if (rest.startsWith('\\A')) { out += lines ? '(?<![\\s\\S])' : '^'; i++; }
    else if (rest.startsWith('\\z')) { out += lines ? '(?![\\s\\S])' : '$'; i++; }
    else if ((m = /^\\x\{([0-9A-Fa-f]+)\}/.exec(rest))) { out += '\\u{' + m[1] + '}'; i += m[0].length - 1; }
    else if (p[i] === '\\' && i + 1 < p.length) { const c = String.fromCodePoint(p.codePointAt(i + 1)); out += /[\^$\\.*+?()[\]{}|/a-zA-Z0-9-]/.test(c) ? '\\' + c : c; i += c.length; }
    else if (p[i] === '$' && !lines) out += '(?=\\n?$)';
    else out += p[i];
  }
  return out;
}
export { Binary, clone, REMOVE };
