// The explorer: GraphiQL on our endpoint, with a token that goes along with every request.
"use strict";

(() => {
  const root = document.getElementById("explorer");
  const options = JSON.parse(root.dataset.options);
  const field = document.getElementById("token");
  const caller = document.getElementById("caller");
  const hint = document.getElementById("hint");
  const forget = document.getElementById("forget");

  // The token lives as long as the browser's tab: it is a credential.
  const kept = "spacecloud:token";
  let token = sessionStorage.getItem(kept) || "";

  // claimsOf is what a token says, unverified: for showing only. Null when it is not a JWT.
  const claimsOf = (text) => {
    try {
      const body = text.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(body), (c) => c.charCodeAt(0))));
    } catch {
      return null;
    }
  };

  const describe = (text) => {
    if (!text) return ["", false];
    const claims = claimsOf(text);
    if (!claims) return ["not a JWT", true];
    const who = claims.sub === undefined ? "a token without sub" : `as ${claims.sub}`;
    if (claims.exp === undefined) return [who, false];
    const minutes = Math.round((claims.exp * 1000 - Date.now()) / 60000);
    if (minutes <= 0) return [`${who}, expired`, true];
    return [`${who}, for ${minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`}`, false];
  };

  const show = () => {
    const [text, bad] = describe(token);
    caller.textContent = text;
    caller.classList.toggle("bad", bad);
    hint.hidden = token !== "";
    forget.hidden = token === "";
  };

  // withToken is fetch with the token, unless the headers editor says Authorization itself.
  const withToken = (url, init) => {
    const headers = new Headers(init.headers);
    if (token && !headers.has("Authorization")) headers.set("Authorization", `Bearer ${token}`);
    return fetch(url, { ...init, headers, credentials: "same-origin" });
  };

  window.__webpack_nonce__ = root.dataset.nonce; // what GraphiQL's dialogs sign their styles with

  const view = ReactDOM.createRoot(root);
  const tabs = options.examples.map(({ title, query, variables }) => ({
    query: title ? `# ${title}\n${query}` : query,
    variables: variables || undefined,
  }));

  // A new fetcher makes GraphiQL read the schema again, which a bad token may have kept it from.
  const render = () => view.render(React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: options.endpoint, fetch: withToken }),
    defaultQuery: options.welcome,
    defaultTabs: tabs.length > 0 ? tabs : undefined,
    defaultEditorToolsVisibility: tabs.some(({ variables }) => variables) ? "variables" : undefined,
    shouldPersistHeaders: false,
  }));

  const use = (text) => {
    text = text.trim().replace(/^bearer\s+/i, "");
    if (text === token) return;
    token = text;
    if (token) sessionStorage.setItem(kept, token);
    else sessionStorage.removeItem(kept);
    show();
    render();
  };

  field.value = token;
  field.addEventListener("input", () => use(field.value));
  document.getElementById("token-form").addEventListener("submit", (event) => event.preventDefault());
  forget.addEventListener("click", () => {
    field.value = "";
    use("");
    field.focus();
  });
  setInterval(show, 30000); // what is left of the token's time
  show();
  render();
})();
