{# Which relation depends on which: a view's rule depends on every relation that its query reads. #}
{% macro postgres__get_relations() -%}
    {%- call statement('relations', fetch_result=True) -%}
        select distinct
            reader_schema.nspname as dependent_schema,
            reader.relname as dependent_name,
            read_schema.nspname as referenced_schema,
            read.relname as referenced_name
        from pg_rewrite as rule
        inner join pg_class as reader on reader.oid = rule.ev_class
        inner join pg_namespace as reader_schema on reader_schema.oid = reader.relnamespace
        inner join pg_depend as edge
            on edge.classid = 'pg_rewrite'::regclass
            and edge.objid = rule.oid
            and edge.refclassid = 'pg_class'::regclass
            and edge.refobjid <> rule.ev_class
        inner join pg_class as read on read.oid = edge.refobjid
        inner join pg_namespace as read_schema
            on read_schema.oid = read.relnamespace
            and read_schema.nspname <> 'information_schema'
            and read_schema.nspname not like 'pg\_%'
        order by dependent_schema, dependent_name, referenced_schema, referenced_name;
    {%- endcall -%}
    {% do return(load_result('relations').table) %}
{% endmacro %}

{% macro postgres_get_relations() %}
    {% do return(postgres__get_relations()) %}
{% endmacro %}
