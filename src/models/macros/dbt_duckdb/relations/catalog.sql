{% macro duckdb__get_catalog(information_schema, schemas) -%}
    {% set filter = duckdb__get_catalog_schemas_where_clause_sql(schemas) %}
    {% do return(run_query(_duckdb_catalog_sql(information_schema, filter))) %}
{%- endmacro %}

{% macro duckdb__get_catalog_relations(information_schema, relations) -%}
    {% set filter = duckdb__get_catalog_relations_where_clause_sql(relations) %}
    {% do return(run_query(_duckdb_catalog_sql(information_schema, filter))) %}
{%- endmacro %}

{% macro _duckdb_catalog_sql(information_schema, filter) -%}
    with tables as (
        {{ duckdb__get_catalog_tables_sql(information_schema) }}
        {{ filter }}
    ),
    columns as (
        {{ duckdb__get_catalog_columns_sql(information_schema) }}
        {{ filter }}
    )
    {{ duckdb__get_catalog_results_sql() }}
{%- endmacro %}

{% macro duckdb__get_catalog_tables_sql(information_schema) -%}
    {%- set listings = [['duckdb_tables()', 'table_name', 'BASE TABLE'], ['duckdb_views()', 'view_name', 'VIEW']] -%}
    select * from (
        {% for listing, name, kind in listings %}
        select
            database_name as table_database,
            schema_name as table_schema,
            {{ name }} as table_name,
            '{{ kind }}' as table_type,
            comment as table_comment
        from {{ listing }}
        where lower(database_name) = lower('{{ information_schema.database }}')
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) catalog_tables
{%- endmacro %}

{% macro duckdb__get_catalog_columns_sql(information_schema) -%}
    select * from (
        select
            database_name as table_database,
            schema_name as table_schema,
            table_name,
            column_name,
            column_index,
            data_type as column_type,
            comment as column_comment
        from duckdb_columns()
        where lower(database_name) = lower('{{ information_schema.database }}')
    ) catalog_columns
{%- endmacro %}

{% macro duckdb__get_catalog_results_sql() -%}
    select
        tables.table_database,
        tables.table_schema,
        tables.table_name,
        tables.table_type,
        tables.table_comment,
        columns.column_name,
        columns.column_index,
        columns.column_type,
        columns.column_comment,
        null as table_owner
    from tables
    inner join columns using (table_database, table_schema, table_name)
    order by table_schema, table_name, column_index
{%- endmacro %}

{% macro duckdb__get_catalog_schemas_where_clause_sql(schemas) -%}
    {%- set choices = [] -%}
    {%- for name in schemas -%}
        {%- do choices.append("lower(table_schema) = lower('" ~ name ~ "')") -%}
    {%- endfor -%}
    where {{ '(' ~ choices | join(' or ') ~ ')' if choices else '1 = 0' }}
{%- endmacro %}

{% macro duckdb__get_catalog_relations_where_clause_sql(relations) -%}
    {%- set choices = [] -%}
    {%- for wanted in relations -%}
        {%- if not wanted.schema -%}
            {%- do exceptions.raise_compiler_error('get_catalog_relations needs the schema of every relation') -%}
        {%- endif -%}
        {%- set of_schema = "lower(table_schema) = lower('" ~ wanted.schema ~ "')" -%}
        {%- set of_name = " and lower(table_name) = lower('" ~ wanted.identifier ~ "')" if wanted.identifier else '' -%}
        {%- do choices.append('(' ~ of_schema ~ of_name ~ ')') -%}
    {%- endfor -%}
    where {{ '(' ~ choices | join(' or ') ~ ')' if choices else '1 = 0' }}
{%- endmacro %}
