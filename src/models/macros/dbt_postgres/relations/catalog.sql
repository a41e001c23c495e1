{% macro postgres__get_catalog(information_schema, schemas) -%}
    {%- set wanted = [] -%}
    {%- for name in schemas -%}
        {%- do wanted.append({'schema': name}) -%}
    {%- endfor -%}
    {% do return(postgres__get_catalog_relations(information_schema, wanted)) %}
{%- endmacro %}

{# Permanent and unlogged tables, views, materialized views, partitioned and foreign tables, with their columns. #}
{% macro postgres__get_catalog_relations(information_schema, relations) -%}
    {%- set database = information_schema.database -%}
    {%- do adapter.verify_database(database) -%}
    {%- set choices = [] -%}
    {%- for wanted in relations -%}
        {%- set of_schema = "upper(namespace.nspname) = upper('" ~ wanted.schema ~ "')" -%}
        {%- set of_name = " and upper(class.relname) = upper('" ~ wanted.identifier ~ "')" if wanted.identifier else '' -%}
        {%- do choices.append('(' ~ of_schema ~ of_name ~ ')') -%}
    {%- endfor -%}
    {%- call statement('catalog', fetch_result=True) -%}
        select
            '{{ database }}' as table_database,
            namespace.nspname as table_schema,
            class.relname as table_name,
            case class.relkind
                when 'v' then 'VIEW'
                when 'm' then 'MATERIALIZED VIEW'
                else 'BASE TABLE'
            end as table_type,
            obj_description(class.oid, 'pg_class') as table_comment,
            attribute.attname as column_name,
            attribute.attnum as column_index,
            format_type(attribute.atttypid, attribute.atttypmod) as column_type,
            col_description(class.oid, attribute.attnum) as column_comment,
            pg_get_userbyid(class.relowner) as table_owner
        from pg_catalog.pg_class as class
        inner join pg_catalog.pg_namespace as namespace on namespace.oid = class.relnamespace
        inner join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
        where ({{ choices | join(' or ') }})
          and class.relpersistence in ('p', 'u')
          and class.relkind in ('r', 'v', 'f', 'p', 'm')
          and not pg_is_other_temp_schema(namespace.oid)
          and attribute.attnum > 0
          and not attribute.attisdropped
        order by namespace.nspname, class.relname, attribute.attnum
    {%- endcall -%}
    {% do return(load_result('catalog').table) %}
{%- endmacro %}
