// Values of BSON as MongoDB compares and computes with them. Numbers stay in their own types:
// Int32, Long, Double and Decimal128 of npm bson; undefined is a field that is missing.
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'bson';

export class Failure extends Error {
  constructor(code, codeName, message, more) { super(message); Object.assign(this, { code, codeName, more }); }
}

export const kind = (v) => {
  if (v === undefined) return 'missing';
  if (v === null) return 'null';
  if (typeof v === 'string') return 'string';
  if (typeof v === 'boolean') return 'bool';
  if (Array.isArray(v)) return 'array';
  if (v instanceof Date) return 'date';
  if (v instanceof RegExp) return 'regex';
  switch (v._bsontype) {
    case 'Int32': return 'int';
    case 'Long': return 'long';
    case 'Double': return 'double';
    case 'Decimal128': return 'decimal';
    case 'Binary': return 'binData';
    case 'ObjectId': return 'objectId';
    case 'Timestamp': return 'timestamp';
    case 'BSONRegExp': return 'regex';
    case 'MinKey': return 'minKey';
    case 'MaxKey': return 'maxKey';
    case 'BSONSymbol': return 'string';
    case 'Code': return 'javascript';
  }
  return 'object';
};

// https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
// In expressions a missing field is less than null: bsontypes.h, canonicalizeBSONType.
const rank = { minKey: -1, missing: 0, null: 5, int: 10, long: 10, double: 10, decimal: 10, string: 15, object: 20, array: 25, binData: 30, objectId: 35, bool: 40, date: 45, timestamp: 47, regex: 50, javascript: 60, maxKey: 127 };
export const rankOf = (v) => rank[kind(v)];
export const isNumber = (v) => rankOf(v) === 10;
export const isNullish = (v) => v === undefined || v === null;
export const isObject = (v) => kind(v) === 'object';

// ---- numbers

const digitsMax = 34; // of a Decimal128
const pow10 = (n) => 10n ** BigInt(n);

// exact is a finite number as c × 10^e, or the text of one that is not.
export function exact(v) {
  switch (kind(v)) {
    case 'int': return { c: BigInt(v.value), e: 0 };
    case 'long': return { c: v.toBigInt(), e: 0 };
    case 'double': return ofDouble(v.value);
    case 'decimal': return ofText(v.toString());
  }
  throw new Failure(14, 'TypeMismatch', 'not a number: ' + kind(v));
}
function ofDouble(f) {
  if (!Number.isFinite(f)) return String(f);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, f);
  const bits = view.getBigUint64(0), power = Number((bits >> 52n) & 0x7ffn), part = bits & 0xfffffffffffffn;
  const m = power ? part | (1n << 52n) : part, two = (power || 1) - 1075, sign = bits >> 63n ? -1n : 1n;
  return two >= 0 ? { c: sign * (m << BigInt(two)), e: 0 } : { c: sign * m * 5n ** BigInt(-two), e: two };
}
function ofText(s) {
  const m = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(s);
  if (!m) return s;
  return { c: BigInt((m[1] === '-' ? '-' : '') + (m[2] + m[3] || '0')), e: Number(m[4] ?? 0) - m[3].length };
}
const special = { NaN: -2, '-Infinity': -1, Infinity: 1 };
export function compareNumbers(a, b) {
  const ka = kind(a), kb = kind(b);
  if (ka === 'int' && kb === 'int') return Math.sign(a.value - b.value);
  if (ka === 'double' && kb === 'double' && !Number.isNaN(a.value) && !Number.isNaN(b.value)) return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
  const x = exact(a), y = exact(b);
  if (typeof x === 'string' || typeof y === 'string') return Math.sign((special[x] ?? 0) - (special[y] ?? 0));
  const e = Math.min(x.e, y.e), d = x.c * pow10(x.e - e) - y.c * pow10(y.e - e);
  return d < 0n ? -1 : d > 0n ? 1 : 0;
}
// rounded is c × 10^e with at most 34 digits, half to even.
function rounded({ c, e }) {
  const sign = c < 0n ? -1n : 1n;
  let n = c < 0n ? -c : c;
  const over = n.toString().length - digitsMax;
  if (over > 0) {
    const p = pow10(over), rest = n % p;
    n /= p;
    if (rest * 2n > p || (rest * 2n === p && n & 1n)) n++;
    e += over;
  }
  return { c: sign * n, e };
}
export function decimal(x) {
  if (typeof x === 'string') return Decimal128.fromString(x);
  const { c, e } = rounded(x);
  return Decimal128.fromString(c.toString() + 'E' + e);
}
const within = (c, bits) => c >= -(1n << BigInt(bits - 1)) && c < 1n << BigInt(bits - 1);
export const int = (n) => new Int32(n);
export const long = (c) => Long.fromBigInt(c);
export const double = (f) => new Double(f);
export const float = (v) => (kind(v) === 'decimal' ? Number(v.toString()) : kind(v) === 'long' ? Number(v.toBigInt()) : v.value);
export const whole = (v) => { // a count or an index
  const x = exact(v);
  return typeof x === 'string' ? NaN : x.e >= 0 ? Number(x.c * pow10(x.e)) : Number(x.c) / Number(pow10(-x.e));
};

// widest is the type of a result: the docs of $add say "the widest type of the operands".
const widest = (vs) => { const ks = vs.map(kind); return ['decimal', 'double', 'long', 'int'].find((k) => ks.includes(k)) ?? 'int'; };
// An integer that does not fit becomes a long, and then a double: expression.cpp, addAndConvert.
const integer = (c, k) => (k === 'int' && within(c, 32) ? int(Number(c)) : within(c, 64) ? long(c) : double(Number(c)));
export function add(vs) {
  const k = widest(vs);
  if (k === 'double') return double(sumDoubles(vs.map(float)));
  const xs = vs.map(exact);
  if (k === 'decimal') {
    const odd = xs.filter((x) => typeof x === 'string');
    if (odd.length) return decimal(odd.every((o) => o === odd[0]) ? odd[0] : 'NaN');
    let total = { c: 0n, e: 0 };
    for (const x of xs) { const e = Math.min(x.e, total.e); total = rounded({ c: x.c * pow10(x.e - e) + total.c * pow10(total.e - e), e }); }
    return decimal(total);
  }
  return integer(xs.reduce((s, x) => s + x.c, 0n), k);
}
function sumDoubles(fs) { // compensated, as the server's DoubleDoubleSummation
  let sum = 0, lost = 0;
  for (const f of fs) {
    const t = sum + f;
    if (Number.isFinite(t)) lost += Math.abs(sum) >= Math.abs(f) ? sum - t + f : f - t + sum;
    sum = t;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}
export const negate = (v) => multiply([v, int(-1)]);
export function multiply(vs) {
  const k = widest(vs);
  if (k === 'double') return double(vs.map(float).reduce((p, f) => p * f, 1));
  const xs = vs.map(exact);
  if (k === 'decimal') {
    if (xs.some((x) => typeof x === 'string')) return decimal('NaN');
    return decimal(xs.reduce((p, x) => rounded({ c: p.c * x.c, e: p.e + x.e }), { c: 1n, e: 0 }));
  }
  return integer(xs.reduce((p, x) => p * x.c, 1n), k);
}
export function divide(a, b) {
  if (kind(a) !== 'decimal' && kind(b) !== 'decimal') {
    if (float(b) === 0) throw new Failure(2, 'BadValue', "can't $divide by zero");
    return double(float(a) / float(b));
  }
  const x = exact(a), y = exact(b);
  if (y.c === 0n) throw new Failure(2, 'BadValue', "can't $divide by zero");
  const more = 80; // digits enough for one right rounding
  return decimal({ c: (x.c * pow10(more)) / y.c, e: x.e - y.e - more });
}
// place cuts off ($trunc) or rounds half to even ($round) after so many digits.
export function place(v, digits, round) {
  if (kind(v) === 'int' || kind(v) === 'long') { if (digits >= 0) return v; throw new Failure(2, 'BadValue', 'not here: a negative place'); }
  const x = exact(v);
  if (typeof x === 'string' || -x.e <= digits) return v;
  const p = pow10(-x.e - digits), rest = x.c % p;
  let c = x.c / p;
  if (round) { const r = rest < 0n ? -rest : rest; if (r * 2n > p || (r * 2n === p && c & 1n)) c += x.c < 0n ? -1n : 1n; }
  return kind(v) === 'decimal' ? decimal({ c, e: -digits }) : double(Number(c.toString() + 'e' + -digits));
}
// whole numbers out of range are refused: https://www.mongodb.com/docs/manual/reference/operator/aggregation/toLong/
export function toInteger(v, bits) {
  const x = typeof v === 'string' ? ofText(v) : typeof v === 'boolean' ? { c: v ? 1n : 0n, e: 0 } : v instanceof Date ? { c: BigInt(v.getTime()), e: 0 } : exact(v);
  if (typeof x === 'string') throw new Failure(241, 'ConversionFailure', 'Attempt to convert ' + x + ' to an integer');
  const c = x.e >= 0 ? x.c * pow10(x.e) : x.c / pow10(-x.e);
  if (!within(c, bits)) throw new Failure(241, 'ConversionFailure', 'Conversion would overflow target type in $convert with no onError value: ' + c);
  return bits === 32 ? int(Number(c)) : long(c);
}

// ---- order

export function compare(a, b) {
  const ra = rankOf(a), rb = rankOf(b);
  if (ra !== rb) return Math.sign(ra - rb);
  switch (kind(a)) {
    case 'int': case 'long': case 'double': case 'decimal': return compareNumbers(a, b);
    case 'string': return compareText(String(a), String(b));
    case 'object': return compareObjects(a, b);
    case 'array': {
      for (let i = 0; i < a.length && i < b.length; i++) { const c = compare(a[i], b[i]); if (c) return c; }
      return Math.sign(a.length - b.length);
    }
    // "First, the length or size of the data. Then, by the BSON one-byte subtype. Finally, by the data"
    case 'binData': return Math.sign(a.length() - b.length()) || Math.sign(a.sub_type - b.sub_type) || Buffer.compare(Buffer.from(a.value()), Buffer.from(b.value()));
    case 'objectId': return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
    case 'bool': return Number(a) - Number(b);
    case 'date': return Math.sign(a.getTime() - b.getTime());
    case 'timestamp': return a.compare(b);
    case 'regex': return compareText(a.pattern + '/' + a.options, b.pattern + '/' + b.options);
  }
  return 0;
}
export function compareText(a, b) {
  if (a === b) return 0;
  const plain = /^[\x00-\x7f]*$/;
  if (plain.test(a) && plain.test(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
function compareObjects(a, b) { // field by field: type, name, value
  const as = Object.keys(a).filter((k) => a[k] !== undefined), bs = Object.keys(b).filter((k) => b[k] !== undefined);
  for (let i = 0; i < as.length && i < bs.length; i++) {
    const c = Math.sign(rankOf(a[as[i]]) - rankOf(b[bs[i]])) || compareText(as[i], bs[i]) || compare(a[as[i]], b[bs[i]]);
    if (c) return c;
  }
  return Math.sign(as.length - bs.length);
}
export const equal = (a, b) => compare(a, b) === 0;

// keyOf is a text that is the same for values that compare as equal.
export function keyOf(v) {
  switch (kind(v)) {
    case 'int': return 'n' + v.value + 'e0';
    case 'long': case 'double': case 'decimal': {
      const x = exact(v);
      if (typeof x === 'string') return 'n' + x;
      if (x.c === 0n) return 'n0e0';
      const s = x.c.toString(), cut = s.replace(/0+$/, '');
      const e = x.e + s.length - cut.length; // as an int has it where it can
      return e >= 0 ? 'n' + cut + '0'.repeat(e) + 'e0' : 'n' + cut + 'e' + e;
    }
    case 'string': return 's' + JSON.stringify(String(v));
    case 'object': return '{' + Object.keys(v).filter((k) => v[k] !== undefined).map((k) => JSON.stringify(k) + keyOf(v[k])).join(',') + '}';
    case 'array': return '[' + v.map(keyOf).join(',') + ']';
    case 'binData': return 'b' + v.sub_type + Buffer.from(v.value()).toString('base64');
    case 'objectId': return 'o' + v.toHexString();
    case 'bool': return 'B' + v;
    case 'date': return 'd' + v.getTime();
    case 'missing': return '-';
    case 'null': return '0';
  }
  return kind(v) + String(v);
}

export function clone(v) {
  if (Array.isArray(v)) return v.map(clone);
  if (!isObject(v)) return v;
  const out = {};
  for (const k of Object.keys(v)) out[k] = clone(v[k]);
  return out;
}
export { Binary, ObjectId };
