{% macro duckdb__get_binding_char() %}
    {% do return(adapter.get_binding_char()) %}
{% endmacro %}

{% macro duckdb__get_batch_size() %}
    {% do return(10000) %}
{% endmacro %}

{# DuckDB reads the file itself, unless the config says `fast: false`. #}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {% if not config.get('fast', true) %}
        {% do return(default__load_csv_rows(model, adapter.convert_datetimes_to_strs(agate_table))) %}
    {% endif %}
        {% set copying %}
          COPY {{ this.render() }} FROM '{{ adapter.get_seed_file_path(model) }}' (FORMAT CSV, HEADER TRUE, DELIMITER '{{ config.get('delimiter', ',') }}')
        {% endset %}
    {% do adapter.add_query(copying, abridge_sql_log=True) %}
    {% do return(copying) %}
{% endmacro %}
