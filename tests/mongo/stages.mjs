// The stages of MongoDB's aggregation pipelines, by its documentation:
// https://www.mongodb.com/docs/manual/reference/operator/aggregation-pipeline/
import { Failure, clone, compare, equal, int, isNumber, isNullish, isObject, keyOf, kind, long, whole } from './values.mjs';
import { at, avg, compile, extreme, sum } from './expressions.mjs';
import { filter, reached } from './filters.mjs';

// run is the documents that a pipeline makes of docs. The context has vars, now, deadline and
// collection(name), which are the documents of a collection.
export function run(pipeline, docs, x) {
  for (const s of parse(pipeline)) docs = s(docs, x);
  return docs;
}
const parsed = new WeakMap();
function parse(pipeline) {
  if (!parsed.has(pipeline)) parsed.set(pipeline, pipeline.map((s, i) => {
    const keys = Object.keys(s);
    if (keys.length !== 1) throw new Failure(40323, 'Location40323', 'A pipeline stage specification object must contain exactly one field.');
    const make = stages[keys[0]];
    if (!make) throw new Failure(40324, 'Location40324', `Unrecognized pipeline stage name: '${keys[0]}'`);
    if (keys[0] === '$documents' && i > 0) throw new Failure(40602, 'Location40602', '$documents is only valid as the first stage in a pipeline');
    return make(s[keys[0]]);
  }));
  return parsed.get(pipeline);
}
const of = (x, root) => { x.deadline.check(); return { ...x, root }; };

// sortKey orders by a path; an array stands for its least or greatest element, and a missing
// field for null.
export function sorter(spec) {
  const parts = Object.keys(spec).map((k) => [k.split('.'), whole(spec[k])]);
  const key = (d, path, sign) => {
    const vs = reached(d, path), a = vs.find(Array.isArray), es = a ? vs.filter((v) => v !== a) : vs;
    if (a && !a.length) return undefined;
    return es.reduce((m, v) => (m === none || compare(v ?? null, m) * sign < 0 ? (v ?? null) : m), none);
  };
  return (a, b) => { for (const [path, sign] of parts) { const c = compare(key(a, path, sign), key(b, path, sign)) * sign; if (c) return c; } return 0; };
}
const none = Symbol('none');

const count = (v, name) => { if (!isNumber(v)) throw new Failure(2107201, 'Location2107201', name + ' expects a number'); const n = whole(v); if (!Number.isInteger(n) || n < 0) throw new Failure(5107201, 'Location5107201', name + ' must be a non-negative whole number'); return n; };

// setPath sets a value in a copy of a document; undefined takes the field away.
function setPath(d, path, v) {
  if (Array.isArray(d)) return d.map((e) => setPath(e, path, v));
  const [k, ...rest] = path, out = isObject(d) ? { ...d } : {};
  if (!rest.length) { if (v === undefined) delete out[k]; else out[k] = v; } else out[k] = setPath(out[k], rest, v);
  return out;
}
function unsetPath(d, [k, ...rest]) {
  if (Array.isArray(d)) return d.map((e) => unsetPath(e, [k, ...rest]));
  if (!isObject(d) || !Object.hasOwn(d, k)) return d;
  const out = { ...d };
  if (rest.length) out[k] = unsetPath(out[k], rest); else delete out[k];
  return out;
}
const isFlag = (v) => typeof v === 'boolean' || isNumber(v);

// projection is a function of a document: https://www.mongodb.com/docs/manual/reference/operator/aggregation/project/
export function projection(spec) {
  const keys = Object.keys(spec);
  if (!keys.length) throw new Failure(51272, 'Location51272', 'projection specification must have at least one field');
  const on = (v) => (typeof v === 'boolean' ? v : whole(v) !== 0), rest = keys.filter((k) => k !== '_id');
  const without = rest.length ? rest.every((k) => isFlag(spec[k]) && !on(spec[k])) : isFlag(spec._id) && !on(spec._id);
  if (without) { const off = keys.filter((k) => !(k === '_id' && on(spec._id))).map((k) => k.split('.')); return (d) => off.reduce(unsetPath, d); }
  const parts = rest.map((k) => [k.split('.'), isFlag(spec[k]) ? null : compile(spec[k])]);
  for (const k of rest) if (isFlag(spec[k]) && !on(spec[k])) throw new Failure(31254, 'Location31254', 'Cannot do exclusion on field ' + k + ' in inclusion projection');
  const id = '_id' in spec ? (isFlag(spec._id) ? on(spec._id) : compile(spec._id)) : true;
  const include = (d, path) => {
    if (Array.isArray(d)) return d.filter((e) => isObject(e) || Array.isArray(e)).map((e) => include(e, path));
    if (!isObject(d) || !Object.hasOwn(d, path[0])) return {};
    return { [path[0]]: path.length === 1 ? d[path[0]] : include(d[path[0]], path.slice(1)) };
  };
  const merge = (a, b) => (Array.isArray(a) ? a.map((e, i) => merge(e, b[i])) : isObject(a) && isObject(b) ? Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((k) => [k, k in a && k in b ? merge(a[k], b[k]) : (a[k] ?? b[k])])) : b);
  return (d, x) => {
    let out = {};
    if (id === true) { if ('_id' in d) out._id = d._id; } else if (id) { const v = id(of(x, d)); if (v !== undefined) out._id = v; }
    for (const [path, f] of parts) {
      if (!f) { out = path.length === 1 ? (Object.hasOwn(d, path[0]) ? { ...out, [path[0]]: d[path[0]] } : out) : merge(out, include(d, path)); continue; }
      const v = f(of(x, d));
      if (v !== undefined) out = setPath(out, path, v);
    }
    return out;
  };
}

const accumulators = {
  $sum: (vs) => sum(vs), $avg: (vs) => avg(vs),
  $min: (vs) => extreme(vs, -1), $max: (vs) => extreme(vs, 1),
  $first: (vs) => vs[0] ?? null, $last: (vs) => vs.at(-1) ?? null,
  $push: (vs) => vs.filter((v) => v !== undefined),
  $addToSet: (vs) => { const seen = new Map(); for (const v of vs) if (v !== undefined && !seen.has(keyOf(v))) seen.set(keyOf(v), v); return [...seen.values()]; },
  $count: (vs) => int(vs.length),
  $mergeObjects: (vs) => Object.assign({}, ...vs.filter((v) => !isNullish(v))),
};

const stages = {
  $match: (f) => { const t = filter(f); return (docs, x) => docs.filter((d) => t(d, of(x, d))); },
  $project: (spec) => { const p = projection(spec); return (docs, x) => docs.map((d) => p(d, x)); },
  $set(spec) {
    const parts = Object.keys(spec).map((k) => {
      if (k.startsWith('$') || k.split('.').some((s) => s === '')) throw new Failure(16410, 'Location16410', 'bad field path: ' + k);
      return [k.split('.'), compile(spec[k])];
    });
    return (docs, x) => docs.map((d) => { const y = of(x, d); return parts.map(([p, f]) => [p, f(y)]).reduce((o, [p, v]) => setPath(o, p, v), d); });
  },
  $addFields: (spec) => stages.$set(spec),
  $unset: (fields) => { const paths = [].concat(fields).map((f) => f.split('.')); return (docs) => docs.map((d) => paths.reduce(unsetPath, d)); },
  $replaceWith(e) {
    const f = compile(e);
    return (docs, x) => docs.map((d) => { const v = f(of(x, d)); if (!isObject(v)) throw new Failure(40228, 'Location40228', "'replacement document' must evaluate to an object, but resulting value was: " + kind(v)); return v; });
  },
  $replaceRoot: ({ newRoot }) => stages.$replaceWith(newRoot),
  $limit: (n) => { const m = count(n, '$limit'); if (m === 0) throw new Failure(15958, 'Location15958', 'the limit must be positive'); return (docs) => docs.slice(0, m); },
  $skip: (n) => { const m = count(n, '$skip'); return (docs) => docs.slice(m); },
  $sort: (spec) => { if (!Object.keys(spec).length) throw new Failure(15976, 'Location15976', '$sort stage must have at least one sort key'); const by = sorter(spec); return (docs) => [...docs].sort(by); },
  $count: (name) => (docs) => (docs.length ? [{ [name]: int(docs.length) }] : []),
  $sortByCount: (e) => stages.$group({ _id: e, count: { $sum: int(1) } }),
  $group(spec) {
    if (!('_id' in spec)) throw new Failure(15955, 'Location15955', 'a group specification must include an _id');
    const id = compile(spec._id);
    const parts = Object.keys(spec).filter((k) => k !== '_id').map((k) => {
      const [op] = Object.keys(spec[k]);
      if (!accumulators[op]) throw new Failure(15952, 'Location15952', 'unknown group operator ' + op);
      if (k.includes('.')) throw new Failure(40235, 'Location40235', `The field name '${k}' cannot contain '.'`);
      return [k, accumulators[op], compile(op === '$count' ? null : spec[k][op])];
    });
    return (docs, x) => {
      const groups = new Map();
      for (const d of docs) {
        const y = of(x, d), v = id(y) ?? null, k = keyOf(v);
        if (!groups.has(k)) groups.set(k, { id: v, rows: [] });
        groups.get(k).rows.push(y);
      }
      return [...groups.values()].map((g) => { const out = { _id: g.id }; for (const [k, acc, e] of parts) out[k] = acc(g.rows.map(e)); return out; });
    };
  },
  $unwind(spec) {
    const { path, preserveNullAndEmptyArrays: keep } = typeof spec === 'string' ? { path: spec } : spec, steps = path.slice(1).split('.');
    return (docs) => docs.flatMap((d) => {
      const v = at(d, steps);
      if (Array.isArray(v)) return v.length ? v.map((e) => setPath(d, steps, e)) : keep ? [setPath(d, steps, undefined)] : [];
      return isNullish(v) && !keep ? [] : [d];
    });
  },
  $documents(e) { const f = compile(e); return (docs, x) => f({ ...x, root: {} }); },
  $unionWith(spec) {
    const from = spec.coll ?? spec, pipeline = spec.pipeline ?? [];
    return (docs, x) => [...docs, ...run(pipeline, from === spec && isObject(from) ? [] : x.collection(from).docs, x)];
  },
  $facet: (spec) => (docs, x) => [Object.fromEntries(Object.keys(spec).map((k) => [k, run(spec[k], docs, x)]))],
  $sample: ({ size }) => (docs) => docs.slice(0, whole(size)),
  // Equality of localField and foreignField is that of filters: null equals missing, and an array
  // on either side matches by its elements. Variables of let reach into nested pipelines.
  $lookup(spec) {
    for (const k of Object.keys(spec)) if (!['from', 'localField', 'foreignField', 'let', 'pipeline', 'as'].includes(k)) throw new Failure(9, 'FailedToParse', 'unknown argument to $lookup: ' + k);
    const as = spec.as.split('.'), pipeline = spec.pipeline ?? [];
    parse(pipeline);
    const lets = Object.entries(spec.let ?? {}).map(([k, e]) => [k, compile(e)]);
    const local = spec.localField?.split('.'), foreign = spec.foreignField?.split('.');
    if (!local !== !foreign) throw new Failure(9, 'FailedToParse', '$lookup requires both or neither of localField and foreignField');
    return (docs, x) => docs.map((d) => {
      const y = of(x, d), vars = { ...x.vars };
      for (const [k, f] of lets) vars[k] = f(y);
      const from = x.collection(spec.from);
      const found = local ? from.by(spec.foreignField, distinctValues(reached(d, local))) : from.docs;
      return setPath(d, as, run(pipeline, found, { ...x, vars }));
    });
  },
};
// distinctValues are those to look for: the elements of an array, not the array itself.
function distinctValues(vs) {
  const a = vs.find(Array.isArray), es = a ? vs.filter((v) => !Array.isArray(v) || v !== a) : vs;
  return es.map((v) => v ?? null);
}
export { clone, equal, long };
