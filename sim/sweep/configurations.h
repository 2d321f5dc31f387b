#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/config/config_document.h"

namespace npu::sweep {

/// A text file that points were made from, for the record.
struct SourceFile {
  std::string path, sha256, text;
};

/// Base configurations and files by name, each read once.
class Configurations {
 public:
  /// The file that a name means: a preset or the file itself. @throws Error where there is none.
  using Find = std::function<std::string(const std::string& name)>;
  explicit Configurations(Find find) : find_(std::move(find)) {}

  /// @throws Error if it is no configuration.
  [[nodiscard]] const ConfigDocument& document(const std::string& npu);
  /// The value in force under a dotted key: the file's, its device's or the default.
  /// @throws Error `file: key: …` with the nearest key where there is none.
  [[nodiscard]] std::string value(const std::string& npu, const std::string& key);
  /// The configuration file and the files that a document made of it names; those that cannot be
  /// read are left out.
  [[nodiscard]] std::vector<std::shared_ptr<const SourceFile>> files(const std::string& npu,
                                                                     const ConfigDocument& edited);

 private:
  struct Base {
    ConfigDocument document;
    std::map<std::string, std::string, std::less<>> values;  ///< By dotted key.
    std::shared_ptr<const SourceFile> file;
  };
  const Base& base(const std::string& npu);
  std::shared_ptr<const SourceFile> read(const std::string& path);

  Find find_;
  std::map<std::string, Base> bases_;
  std::map<std::string, std::shared_ptr<const SourceFile>> files_;
};

}  // namespace npu::sweep
