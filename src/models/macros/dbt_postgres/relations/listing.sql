{% macro postgres__list_relations_without_caching(schema_relation) %}
    {% set listings = [
        ['tablename', 'schemaname', 'table', 'pg_tables'],
        ['viewname', 'schemaname', 'view', 'pg_views'],
        ['matviewname', 'schemaname', 'materialized_view', 'pg_matviews'],
        ['proname', 'nspname', 'function', 'pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace'],
    ] %}
    {% call statement('list_relations_without_caching', fetch_result=True) -%}
        {% for name, schema_name, kind, listing in listings %}
        select {{ 'distinct' if kind == 'function' }}
            '{{ schema_relation.database }}' as database,
            {{ name }} as name,
            {{ schema_name }} as schema,
            '{{ kind }}' as type
        from {{ listing }}
        where {{ schema_name }} ilike '{{ schema_relation.schema }}'
        {{ 'union all' if not loop.last }}
        {% endfor %}
    {% endcall %}
    {% do return(load_result('list_relations_without_caching').table) %}
{% endmacro %}

{% macro postgres__get_columns_in_relation(relation) -%}
    {% call statement('get_columns_in_relation', fetch_result=True) %}
        select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
        from {{ relation.information_schema('columns') }}
        where table_name = '{{ relation.identifier }}'
        {{ "and table_schema = '" ~ relation.schema ~ "'" if relation.schema }}
        order by ordinal_position
    {% endcall %}
    {% do return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) %}
{% endmacro %}
