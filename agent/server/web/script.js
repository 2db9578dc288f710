'use strict';
// Filters and sorts without reloading the page. Without this script, the form and the links in the table head reload the
// page. The agent does the work in both cases.
(() => {
  const form = document.getElementById('find');
  if (!form) return;
  let newest = 0;
  let timer = 0;

  const show = async (query, keepFocus) => {
    clearTimeout(timer);
    const number = ++newest;
    const count = document.getElementById('count');
    try {
      const reply = await fetch('./?' + query);
      const page = new DOMParser().parseFromString(await reply.text(), 'text/html');
      if (number !== newest) return;
      const images = page.getElementById('images');
      if (!reply.ok || !images) throw new Error(reply.status);
      document.getElementById('images').replaceWith(images);
      count.textContent = page.getElementById('count').textContent;
      history.replaceState(null, '', './?' + query);
      if (keepFocus) document.getElementById(keepFocus)?.focus();
    } catch {
      if (number === newest) count.textContent = 'The agent does not answer; this list is outdated.';
    }
  };
  const asked = () => new URLSearchParams(new FormData(form)).toString();

  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => show(asked()), 150);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    show(asked());
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest('#images thead a');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const query = new URL(link.href).searchParams;
    for (const [name, value] of query) if (form.elements[name]) form.elements[name].value = value;
    show(query.toString(), link.id);
  });
})();
