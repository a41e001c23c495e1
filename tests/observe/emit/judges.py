"""What is sent in the names of OpenLineage, OpenTelemetry and OpenMetrics, judged by the clients of who wrote them.

judges.py openlineage|otlp|openmetrics < BODIES, run by the Python of .deps/judges. A body a line, for openmetrics the
page as a whole. Ends with status 1, and says what is wrong.
"""
import base64
import importlib
import json
import sys


def openlineage(lines):
    from openlineage.client.generated import base
    facets = {
        "nominalTime": ("nominal_time_run", "NominalTimeRunFacet"),
        "processing_engine": ("processing_engine_run", "ProcessingEngineRunFacet"),
        "parent": ("parent_run", "ParentRunFacet"),
        "errorMessage": ("error_message_run", "ErrorMessageRunFacet"),
        "jobType": ("job_type_job", "JobTypeJobFacet"),
        "schema": ("schema_dataset", "SchemaDatasetFacet"),
        "columnLineage": ("column_lineage_dataset", "ColumnLineageDatasetFacet"),
        "outputStatistics": ("output_statistics_output_dataset", "OutputStatisticsOutputDatasetFacet"),
    }

    def check(given):
        for name, facet in given.items():
            module, kind = facets[name]
            own = getattr(importlib.import_module("openlineage.client.generated." + module), kind)
            values = {key: value for key, value in facet.items() if not key.startswith("_")}
            made = own(**values)  # unknown members are refused, and so are those that are missing
            expected = made._get_schema()
            version = [part for part in expected.split("/") if part[:1].isdigit()]
            assert expected.split("/")[-1] == facet["_schemaURL"].split("/")[-1], (expected, facet["_schemaURL"])
            assert version, expected

    for line in lines:
        event = json.loads(line)
        check(event["run"]["facets"])
        check(event["job"]["facets"])
        for dataset in event["inputs"] + event["outputs"]:
            check(dataset["facets"])
            check(dataset.get("outputFacets", {}))
        base.RunEvent(eventTime=event["eventTime"], producer=event["producer"],
                      run=base.Run(runId=event["run"]["runId"]),
                      job=base.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
                      eventType=base.EventType[event["eventType"]],
                      inputs=[base.InputDataset(each["namespace"], each["name"]) for each in event["inputs"]],
                      outputs=[base.OutputDataset(each["namespace"], each["name"]) for each in event["outputs"]])


def otlp(lines):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    for line in lines:
        request = json.loads(line)
        for resource in request["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    # In JSON of OTLP ids are hex, in that of protobuf base64.
                    for name in ("traceId", "spanId", "parentSpanId"):
                        if name in span:
                            span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        parsed = json_format.Parse(json.dumps(request), ExportTraceServiceRequest())
        for resource in parsed.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    assert len(span.trace_id) == 16 and len(span.span_id) == 8, span
                    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano, span


def openmetrics(lines):
    from prometheus_client.openmetrics import parser
    names = {family.name for family in parser.text_string_to_metric_families("\n".join(lines) + "\n")}
    assert "shaduf_runs" in names, names


if __name__ == "__main__":
    {"openlineage": openlineage, "otlp": otlp, "openmetrics": openmetrics}[sys.argv[1]](sys.stdin.read().splitlines())
