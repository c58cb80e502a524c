// The index of the search is larger than all else that a page loads: it is asked for
// when somebody turns to the search, not with every page.
(() => {
  const { open, send } = XMLHttpRequest.prototype;
  const waiting = [];
  let wanted = false;

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.isIndex = new URL(url, location).pathname.endsWith("/search.json");
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...data) {
    if (this.isIndex && !wanted) waiting.push(() => send.apply(this, data));
    else send.apply(this, data);
  };

  function want() {
    wanted = true;
    waiting.splice(0).forEach((go) => go());
  }
  const isSearch = (target) => target instanceof Element && target.closest(".md-search");
  for (const event of ["pointerover", "pointerdown", "focusin", "click"]) {
    document.addEventListener(event, ({ target }) => isSearch(target) && want(), true);
  }
  document.addEventListener("keydown", ({ key, ctrlKey, metaKey }) => {
    if (["/", "s", "f"].includes(key) || ((ctrlKey || metaKey) && key === "k")) want();
  });
  if (new URLSearchParams(location.search).has("q")) want();
})();
