// Forms that speak of days send the reader's own time zone; without this they are in UTC.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();

for (const field of document.querySelectorAll("input[data-zone]")) {
  if (timeZone && field.value === field.defaultValue) field.value = timeZone;
}

// Choosing a time of one's own is what the time field is for.
for (const field of document.querySelectorAll("[data-chooses]")) {
  field.addEventListener("input", () => {
    document.getElementById(field.dataset.chooses).value = "at";
  });
}
