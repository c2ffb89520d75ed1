// Audits the server at the URL that is given against the GraphQL-over-HTTP draft, and fails on
// anything but a clean pass: errors, warnings and notices alike.
import { auditServer } from 'graphql-http';

const url = process.argv[2];
if (!url) {
  console.error('usage: node audit.mjs http://localhost:8080/graphql');
  process.exit(2);
}

const results = await auditServer({ url });
const flaws = results.filter((r) => r.status !== 'ok');
for (const flaw of flaws) {
  console.error(`${flaw.status} ${flaw.id} ${flaw.name}: ${flaw.reason}`);
}
console.log(`${results.length - flaws.length} of ${results.length} audits passed`);
process.exit(flaws.length === 0 ? 0 : 1);
