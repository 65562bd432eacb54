/* What the theme leaves out for those who do not see the page, or use no mouse. */
document.addEventListener("DOMContentLoaded", () => {
  for (const heading of document.querySelectorAll("[role=heading]:not([aria-level])")) {
    heading.setAttribute("aria-level", "2");
  }
  document.querySelector("aside.sidebar-drawer")?.setAttribute("aria-label", "Pages");
  document.querySelector("aside.toc-drawer")?.setAttribute("aria-label", "On this page");
  const results = document.querySelector("#search-results");
  if (results && !document.querySelector("h1")) {
    results.insertAdjacentHTML("beforebegin", "<h1>Search</h1>");
  }
  for (const box of document.querySelectorAll("pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
