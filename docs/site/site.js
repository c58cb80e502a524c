// Typesets formulas, and lets the keyboard scroll what is wider than the page.
(() => {
  const assets = new URL(".", document.currentScript.src);

  function typeset(element) {
    const source = element.textContent.trim();
    const displayMode = source.startsWith("\\[");
    const tex = source.slice(2, -2);
    window.katex.render(tex, element, { displayMode, throwOnError: false });
  }

  function load(tag, properties) {
    return new Promise((resolve, reject) => {
      const element = Object.assign(document.createElement(tag), properties);
      element.onload = resolve;
      element.onerror = reject;
      document.head.append(element);
    });
  }

  async function typesetAll() {
    const formulas = document.querySelectorAll(".arithmatex");
    if (formulas.length === 0) return;
    await Promise.all([
      load("link", { rel: "stylesheet", href: new URL("katex/katex.min.css", assets) }),
      load("script", { src: new URL("katex/katex.min.js", assets) }),
    ]);
    formulas.forEach(typeset);
    document.documentElement.dataset.typeset = "done";
  }

  const WIDE = [
    ".md-typeset pre > code",
    ".md-typeset div.arithmatex",
    ".md-typeset p:has(> img.wide)",
    ".md-typeset__table",
    ".md-typeset__scrollwrap",
  ].join();
  function letKeyboardScroll() {
    for (const element of document.querySelectorAll(WIDE)) {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  }

  // Pictures of many pixels have small words.
  function noteWidePictures() {
    for (const picture of document.querySelectorAll(".md-typeset p > img:only-child")) {
      picture.classList.toggle("wide", picture.naturalWidth > 700);
    }
    letKeyboardScroll();
  }

  // Parts of the navigation get names of their own; the buttons of code are no navigation.
  function nameNavigation() {
    for (const nav of document.querySelectorAll("nav.md-nav nav.md-nav[data-md-level]")) {
      const title = nav.querySelector(":scope > .md-nav__title")?.textContent.trim();
      nav.removeAttribute("aria-labelledby");
      nav.setAttribute("aria-label", `Pages of ${title || "this part"}`);
    }
  }
  function unmarkCode() {
    for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) {
      nav.setAttribute("role", "none");
    }
  }

  nameNavigation();
  unmarkCode();
  new MutationObserver(unmarkCode).observe(document.body, { childList: true, subtree: true });
  typesetAll().then(letKeyboardScroll);
  letKeyboardScroll();
  window.addEventListener("resize", letKeyboardScroll);
  window.addEventListener("load", noteWidePictures);
  document.addEventListener("load", noteWidePictures, true); // of one picture
})();
