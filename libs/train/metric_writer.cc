#include "train/metric_writer.h"

#include <iostream>

#include "train/async_writer.h"
#include "train/console_writer.h"
#include "train/multi_writer.h"
#include "train/summary_writer.h"

namespace weft::train {

std::unique_ptr<MetricWriter> create_default_writer(const std::string& folder, const DefaultWriterOptions& options,
                                                    SourceLocation loc) {
  const LocationScope scope(loc, "create_default_writer");
  std::vector<std::unique_ptr<MetricWriter>> writers;
  writers.push_back(std::make_unique<ConsoleWriter>(std::cerr, options.collection));
  if (!options.just_logging && !folder.empty())
    writers.push_back(
        std::make_unique<SummaryWriter>(options.collection.empty() ? folder : folder + "/" + options.collection));
  auto all = std::make_unique<MultiWriter>(std::move(writers));
  if (!options.asynchronous) return all;
  return std::make_unique<AsyncWriter>(std::move(all));
}

}  // namespace weft::train
