{% macro duckdb__apply_grants(relation, grant_config, should_revoke=True) %}
    {% if grant_config %}
        {% do adapter.warn_once('DuckDB has no grants: those that are configured have no effect') %}
    {% endif %}
{% endmacro %}
