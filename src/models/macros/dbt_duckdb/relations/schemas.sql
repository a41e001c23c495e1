{# An attached SQLite or MySQL database has no schemas to create. #}
{% macro duckdb__create_schema(relation) -%}
    {% set foreign %}
        select type
        from duckdb_databases()
        where lower(database_name) = '{{ relation.database | lower }}' and type <> 'duckdb'
    {% endset %}
    {% set kinds = run_query(foreign).columns[0].values() | list %}
    {% set kind = kinds[0] if kinds else 'duckdb' %}
    {% if kind == 'sqlite' and relation.schema != 'main' %}
        {% do exceptions.raise_compiler_error(
            "A SQLite database has the schema 'main' alone, so nothing can be written to '" ~ relation.schema ~ "'") %}
    {% endif %}
    {% if kind not in ('sqlite', 'mysql') %}
        {% call statement('create_schema') -%}
            create schema if not exists {{ relation.without_identifier() }}
        {%- endcall %}
    {% endif %}
{% endmacro %}

{% macro duckdb__drop_schema(relation) -%}
    {% call statement('drop_schema') -%}
        drop schema if exists {{ relation.without_identifier() }} cascade
    {%- endcall %}
{% endmacro %}

{% macro duckdb__list_schemas(database) -%}
    {% set listing %}
        select schema_name
        from system.information_schema.schemata
        {% if database is not none %}
        where lower(catalog_name) = '{{ database | lower }}'
        {% endif %}
    {% endset %}
    {% do return(run_query(listing)) %}
{% endmacro %}

{% macro duckdb__check_schema_exists(information_schema, schema) -%}
    {% set counting %}
        select count(*)
        from system.information_schema.schemata
        where lower(catalog_name) = '{{ information_schema.database | lower }}'
          and lower(schema_name) = '{{ schema | lower }}'
    {% endset %}
    {% do return(run_query(counting)) %}
{% endmacro %}
