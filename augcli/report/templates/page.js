// Filters the gallery. Without it the gallery shows everything.
(function () {
  "use strict";
  var form = document.getElementById("filters");
  if (!form) return;
  var gallery = document.getElementById("gallery");
  var count = document.getElementById("count");
  var entries = Array.prototype.slice.call(gallery.children);
  form.hidden = false;

  function value(name) {
    return form.elements[name] ? form.elements[name].value : "";
  }

  function share(name, otherwise) {
    var number = parseFloat(value(name));
    return isNaN(number) ? otherwise : number / 100;
  }

  function unevenness(entry) {
    var weight = entry.dataset.weight;
    return weight === undefined ? null : Math.abs(weight - 0.5);
  }

  function order(first, second) {
    var direction = value("order");
    var one = unevenness(first);
    var other = unevenness(second);
    if (direction && one !== other) {
      if (one === null) return 1;
      if (other === null) return -1;
      return direction === "most" ? one - other : other - one;
    }
    return first.dataset.number - second.dataset.number;
  }

  function update() {
    var limited = value("from") !== "" || value("to") !== "";
    var lowest = share("from", 0);
    var highest = share("to", 1);
    var shown = 0;
    entries.forEach(function (entry) {
      var data = entry.dataset;
      var fits =
        (value("class") === "" || data.classes.split(" ").indexOf(value("class")) >= 0) &&
        (value("method") === "" || data.method === value("method")) &&
        (!limited ||
          (data.weight !== undefined && data.weight >= lowest && data.weight <= highest));
      entry.hidden = !fits;
      shown += fits;
    });
    count.textContent = shown + " of " + entries.length + " shown";
  }

  function sort() {
    entries.sort(order).forEach(function (entry) {
      gallery.appendChild(entry);
    });
  }

  form.addEventListener("input", update);
  form.addEventListener("change", function (event) {
    if (event.target.name === "order") sort();
    update();
  });
  form.addEventListener("reset", function () {
    // The fields have their first values only after this event.
    setTimeout(function () {
      sort();
      update();
    });
  });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
  });
  // A browser that goes back to the page may have kept what was chosen.
  sort();
  update();
})();
