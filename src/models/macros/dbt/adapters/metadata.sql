{# What is in the database: each adapter has its own; the defaults say that there is none. #}

{% macro get_catalog_relations(information_schema, relations) -%}
    {% do return(adapter.dispatch('get_catalog_relations', 'dbt')(information_schema, relations)) %}
{%- endmacro %}

{% macro default__get_catalog_relations(information_schema, relations) -%}
    {% do exceptions.raise_compiler_error('get_catalog_relations is not there for the adapter ' ~ adapter.type()) %}
{%- endmacro %}

{% macro get_catalog(information_schema, schemas) -%}
    {% do return(adapter.dispatch('get_catalog', 'dbt')(information_schema, schemas)) %}
{%- endmacro %}

{% macro default__get_catalog(information_schema, schemas) -%}
    {% do exceptions.raise_compiler_error('get_catalog is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro get_catalog_for_single_relation(relation) %}
    {% do return(adapter.dispatch('get_catalog_for_single_relation', 'dbt')(relation)) %}
{% endmacro %}

{% macro default__get_catalog_for_single_relation(relation) %}
    {% do exceptions.raise_not_implemented('get_catalog_for_single_relation is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro information_schema_name(database) %}
    {% do return(adapter.dispatch('information_schema_name', 'dbt')(database)) %}
{% endmacro %}

{% macro default__information_schema_name(database) -%}
    {{ database ~ '.' if database }}INFORMATION_SCHEMA
{%- endmacro %}

{% macro list_relations_without_caching(schema_relation) %}
    {% do return(adapter.dispatch('list_relations_without_caching', 'dbt')(schema_relation)) %}
{% endmacro %}

{% macro default__list_relations_without_caching(schema_relation) %}
    {% do exceptions.raise_not_implemented('list_relations_without_caching is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro list_function_relations_without_caching(schema_relation) %}
    {% do return(adapter.dispatch('list_function_relations_without_caching', 'dbt')(schema_relation)) %}
{% endmacro %}

{% macro default__list_function_relations_without_caching(schema_relation) %}
    {% do exceptions.raise_not_implemented('list_function_relations_without_caching is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro get_relations() %}
    {% do return(adapter.dispatch('get_relations', 'dbt')()) %}
{% endmacro %}

{% macro default__get_relations() %}
    {% do exceptions.raise_not_implemented('get_relations is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{% macro get_relation_last_modified(information_schema, relations) %}
    {% do return(adapter.dispatch('get_relation_last_modified', 'dbt')(information_schema, relations)) %}
{% endmacro %}

{% macro default__get_relation_last_modified(information_schema, relations) %}
    {% do exceptions.raise_not_implemented('get_relation_last_modified is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}
