#include "tools/crdgen/reference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "api/codec.h"

namespace stash::crdgen {
namespace {

constexpr std::string_view kHead =
    R"(# Reference: every field

<!-- Written by crdgen from the tables in api/; change those and run `make generate`. -->

From the same tables as the CustomResourceDefinitions, so this is what your cluster's API server knows.
[contract.md](contract.md) says of each field how it compares with AppsCode Stash and which test proves it.

- **required** means: within its object. An object that is left out requires nothing.
- The schema fills in no defaults, so an object stays as it was written. A field that is left out counts as `""`, `0`,
  `false` or empty; where it means something else, the description says what.
- A *time* is RFC 3339, a *quantity* a Kubernetes quantity such as `1Gi` or a number, a *Kubernetes object* a foreign type,
  taken as it is. Durations are texts such as `90s`, `5m` or `1h30m`.
- A field that is **not acted on yet** is kept; `kubectl apply` warns of it and the condition `FieldsHonoured` names it. So it
  is with a field that is not in the schema, perhaps misspelt.
- Some of what cannot work passes the schema and is told by the condition `Ready`, or `Completed` of a session:
  [troubleshooting.md](troubleshooting.md).
)";

/// What is in a cell must not end it.
std::string in_cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    if (c == '<') {
      out += "&lt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string type_of(const Json& field) {
  if (field.contains("x-kubernetes-int-or-string")) return "number or text";
  const std::string type = string_at(field, {"type"});
  if (type == "array") return "list of " + type_of(field["items"]);
  if (type == "object") return field.contains("properties") ? "object" : "Kubernetes object";
  if (string_at(field, {"format"}) == "date-time") return "time";
  if (type == "integer") return string_at(field, {"format"}) == "int64" ? "integer (64 bits)" : "integer";
  return type;
}

/// The object that holds the fields of this one; nullptr when it has none.
const Json* fields_below(const Json& field) {
  const Json& object = string_at(field, {"type"}) == "array" ? field["items"] : field;
  return at(object, {"properties"});
}

/// Sentences about what is accepted, beside the type.
std::string validation_of(const Json& field) {
  std::string out;
  const auto say = [&out](std::string_view sentence) { out += fmt::format("; {}", in_cell(sentence)); };
  for (const Json* node : {&field, at(field, {"items"})}) {
    if (node == nullptr) continue;
    if (const auto most = int_at(*node, {"maxItems"})) say(fmt::format("at most {} entries", most));
    if (const auto most = int_at(*node, {"maxLength"})) say(fmt::format("at most {} characters", most));
    if (string_at(*node, {"x-kubernetes-list-type"}) == "set") say("no entry twice");
    for (const Json& key : array_at(*node, {"x-kubernetes-list-map-keys"}))
      say(fmt::format("no two entries with the same `{}`", key.get<std::string>()));
    for (const Json& rule : array_at(*node, {"x-kubernetes-validations"})) say(string_at(rule, {"message"}));
  }
  return out.empty() ? out : out.substr(2);
}

class Table {
 public:
  explicit Table(const Json& object) {
    out_ = "| field | type | required | meaning | validation |\n| --- | --- | --- | --- | --- |\n";
    add("", object);
  }
  std::string text() && { return std::move(out_); }

 private:
  /// The rows of an object's fields, each followed by those of its own.
  void add(const std::string& prefix, const Json& object) {
    const Json& fields = object_at(object, {"properties"});
    const Json& required = array_at(object, {"required"});
    const auto is_required = [&required](const std::string& name) {
      return std::ranges::find(required, Json(name)) != required.end();
    };
    std::set<std::string> told;
    for (const auto& [name, field] : fields.items()) {
      if (told.contains(name)) continue;
      std::vector<std::string> names;
      for (const auto& [other, same] : fields.items())
        if (same == field && is_required(other) == is_required(name)) names.push_back(other);
      told.insert(names.begin(), names.end());
      add_row(prefix + (names.size() == 1 ? name : fmt::format("{{{}}}", fmt::join(names, ","))), field,
              is_required(name));
    }
  }

  void add_row(const std::string& path, const Json& field, bool needed) {
    const Json* below = fields_below(field);
    std::string meaning = in_cell(string_at(field, {"description"}));
    if (below != nullptr) {
      const auto [shown, is_new] = shown_.try_emplace(dump_json(*below), path);
      if (!is_new) {
        meaning += fmt::format(" Fields as in `{}`.", shown->second);
        below = nullptr;
      }
    }
    out_ += fmt::format("| `{}` | {} | {} | {} | {} |\n", path, type_of(field), needed ? "yes" : "", meaning,
                        validation_of(field));
    if (below == nullptr) return;
    const bool list = string_at(field, {"type"}) == "array";
    add(path + (list ? "[]." : "."), list ? field["items"] : field);
  }

  std::string out_;
  std::map<std::string, std::string> shown_;  ///< an object's fields -> where they are in this table
};

template <class Kind>
std::string chapter() {
  const Json crd = api::custom_resource_definition<Kind>();
  const Json& names = object_at(crd, {"spec", "names"});
  const std::string group = string_at(crd, {"spec", "group"});
  std::vector<std::string> versions, words;
  for (const Json& version : array_at(crd, {"spec", "versions"}))
    versions.push_back(fmt::format("`{}/{}`", group, string_at(version, {"name"})));
  for (const Json& name : array_at(names, {"shortNames"}))
    words.push_back(fmt::format("`{}`", name.get<std::string>()));
  const Json& root = array_at(crd, {"spec", "versions"}).front()["schema"]["openAPIV3Schema"];

  std::string out =
      fmt::format("\n## {}\n\n{} {}; for kubectl `{}`", string_at(names, {"kind"}), string_at(root, {"description"}),
                  fmt::join(versions, ", "), string_at(names, {"plural"}));
  if (!words.empty()) out += fmt::format(" or {}", fmt::join(words, ", "));
  out += ".\n";
  if (const std::string rule = validation_of(root); !rule.empty()) out += fmt::format("\nRule: {}.\n", rule);
  for (const char* part : {"spec", "status"}) {
    const Json& object = root["properties"][part];
    out += fmt::format("\n### {}.{}\n\n", string_at(names, {"kind"}), part);
    for (const Json& rule : array_at(object, {"x-kubernetes-validations"}))
      out += fmt::format("Rule: {}.\n\n", string_at(rule, {"message"}));
    out += Table(object).text();
  }
  return out;
}

}  // namespace

std::string reference_document() {
  return std::string(kHead) + chapter<api::Repository>() + chapter<api::BackupConfiguration>() +
         chapter<api::BackupSession>() + chapter<api::BackupSessionHost>() + chapter<api::RestoreSession>() +
         chapter<api::BackupBlueprint>();
}

}  // namespace stash::crdgen
