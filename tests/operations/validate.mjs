// Reads {sdl, introspection, operations} from stdin and says, as a JSON list of texts, what
// graphql-js finds wrong with them.
import { readFileSync } from 'node:fs';
import {
  buildClientSchema, buildSchema, lexicographicSortSchema, parse, printSchema, validate, validateSchema,
} from '../graphql-http/node_modules/graphql/index.mjs';

const { sdl, introspection, operations } = JSON.parse(readFileSync(0, 'utf8'));
const wrong = [];
const server = buildSchema(sdl);
const client = buildClientSchema(introspection);
for (const [name, schema] of Object.entries({ sdl: server, introspection: client })) {
  for (const e of validateSchema(schema)) wrong.push(`${name}: ${e.message}`);
}
const lines = (schema) => printSchema(lexicographicSortSchema(schema)).split('\n');
const [one, other] = [lines(server), lines(client)];
const at = one.findIndex((line, i) => line !== other[i]);
if (at >= 0) wrong.push(`the SDL says ${one[at]} where introspection says ${other[at]}`);
for (const text of operations) {
  for (const e of validate(client, parse(text))) wrong.push(`${e.message} in ${text}`);
}
console.log(JSON.stringify(wrong));
