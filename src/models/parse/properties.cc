#include "models/parse/properties.h"
namespace shaduf::models {
struct PropertiesReader::State {};
PropertiesReader::PropertiesReader(Invocation&, NodePatches&) {}
PropertiesReader::~PropertiesReader() = default;
void PropertiesReader::read(const PackageFiles&, Findings&) {}
void PropertiesReader::apply(const NodeParser&, Findings&) {}
}
