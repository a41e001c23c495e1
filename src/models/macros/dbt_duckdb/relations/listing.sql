{% macro duckdb__list_relations_without_caching(schema_relation) %}
    {% call statement('list_relations_without_caching', fetch_result=True) -%}
        select
            '{{ schema_relation.database }}' as database,
            table_name as name,
            table_schema as schema,
            case table_type when 'VIEW' then 'view' else 'table' end as type
        from system.information_schema.tables
        where table_type in ('BASE TABLE', 'VIEW', 'LOCAL TEMPORARY')
          and lower(table_schema) = '{{ schema_relation.schema | lower }}'
          and lower(table_catalog) = '{{ schema_relation.database | lower }}'
    {% endcall %}
    {% do return(load_result('list_relations_without_caching').table) %}
{% endmacro %}

{# describe reads one relation; information_schema would load the catalog of every attached database. #}
{% macro duckdb__get_columns_in_relation(relation) -%}
    {% call statement('get_columns_in_relation', fetch_result=True) %}
        select
            column_name,
            column_type as data_type,
            null::bigint as character_maximum_length,
            null::bigint as numeric_precision,
            null::bigint as numeric_scale
        from (describe {{ relation.render() }})
    {% endcall %}
    {% do return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) %}
{% endmacro %}
