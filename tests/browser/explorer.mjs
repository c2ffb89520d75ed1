// Uses the explorer as a person does: node explorer.mjs URL OUT.png QUERY [EXPECT [TOKEN]]
//
// Opens URL, types TOKEN into the token field, runs QUERY, waits for EXPECT in the result and
// keeps a picture. Fails when the result does not come, when the page reports an error, or
// when a request goes to anywhere but this machine. COLOR_SCHEME=dark is the other look.
import { chromium } from "playwright-core";

const [url, out, query, expect = '"data"', token = ""] = process.argv.slice(2);
if (!query) {
  console.error("usage: node explorer.mjs URL OUT.png QUERY [EXPECT [TOKEN]]");
  process.exit(2);
}

const problems = [];
const loopback = new Set(["127.0.0.1", "localhost", "[::1]"]);
const isHere = (address) => {
  const { protocol, hostname } = new URL(address);
  return protocol === "data:" || protocol === "blob:" || loopback.has(hostname);
};

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    colorScheme: process.env.COLOR_SCHEME || "light",
  });
  page.setDefaultTimeout(20000);
  page.on("request", (request) => {
    if (!isHere(request.url())) problems.push(`a request left this machine: ${request.url()}`);
  });
  page.on("pageerror", (error) => problems.push(`the page failed: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`the page reported: ${message.text()}`);
  });

  await page.goto(url);
  if (token) await page.locator("#token").fill(token);
  const editor = page.locator(".graphiql-query-editor .CodeMirror");
  await editor.evaluate((element, text) => element.CodeMirror.setValue(text), query);
  // GraphiQL reads a changed query a moment later; the tab then has its operation's name.
  const name = /\b(?:query|mutation|subscription)\s+(\w+)/.exec(query)?.[1] ?? "<untitled>";
  await page.locator(".graphiql-tab-active", { hasText: name }).waitFor();
  await page.locator(".graphiql-execute-button").click();
  try {
    await page.waitForFunction((text) => {
      const result = document.querySelector(".graphiql-response .CodeMirror");
      return result && result.CodeMirror.getValue().includes(text);
    }, expect);
  } catch {
    const shown = await page.locator(".graphiql-response").innerText();
    problems.push(`the result does not hold ${expect}:\n${shown}`);
  }
  await page.screenshot({ path: out });
} catch (error) {
  problems.push(String(error));
} finally {
  await browser.close();
}
for (const each of problems) console.error(each);
process.exitCode = problems.length > 0 ? 1 : 0;
